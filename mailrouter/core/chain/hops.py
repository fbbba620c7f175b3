"""Chain and Hop: who wrote what before it reached us, newest first."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from mailrouter.core.message import Address


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a text that stays in it but is told apart for rules; offsets count characters of that text."""

    kind: Literal["signature", "disclaimer", "device", "banner"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hop:
    """One earlier mail in the chain, as the later one quotes or encloses it.

    `author` has the JSON key "from". `sent` is ISO and has an offset only where one was printed; `sent_raw` is as
    printed. `kind` is "reply" where an attribution line ("On … wrote:") introduced it. `text` is this hop's own words,
    signature and disclaimer included, banners left out.
    """

    author: Annotated[Address | None, Field(alias="from")]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    sent: str | None
    sent_raw: str
    message_id: str | None
    text: str
    kind: Literal["forward", "reply"]
    source: Literal["inline", "html", "attachment"]
    confidence: float  # 0…1
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """The hops below a mail, newest first by nesting, and what the mail's own author wrote."""

    hops: tuple[Hop, ...]
    text: str  # the outer author's own words, banners left out
    banners: tuple[str, ...] = ()  # external-sender banners of the outer mail
    marks: tuple[Mark, ...] = ()  # in `text`

    @property
    def forwarded(self) -> bool:
        """Whether a hop of kind "forward" exists."""
        return any(hop.kind == "forward" for hop in self.hops)
