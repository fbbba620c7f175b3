"""Case × config/nominations.yaml → the nominee for a topic."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nominee:
    """Whom the institution names, as the answer prints it."""

    name: str
    function: str
    organisation: str
    email: str
    phone: str
    deputy: "Nominee | None" = None


@dataclass(frozen=True, slots=True)
class Topic:
    """Who is named for a topic: met by any of its keywords (stems), senders (institution or address) or series."""

    topic: str
    nominee: str  # a person in the directory
    deputy: str | None = None
    keywords: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    approver: str | None = None  # the person or role entitled to approve
    valid_from: str | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True)
class Nominations:
    """config/nominations.yaml."""

    topics: tuple[Topic, ...] = ()
