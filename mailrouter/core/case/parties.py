"""Who is ours and who wrote to us.

Invariant: an address decides by its domain alone; a name without an address is ours only if the directory has exactly
that name. Whoever cannot be told is taken for an outsider: a letter that nobody registers is the worse mistake.
"""

import re
from collections.abc import Sequence

from mailrouter.core import people
from mailrouter.core.case.cases import Correspondence
from mailrouter.core.language import fold
from mailrouter.core.letter.letters import Letter
from mailrouter.core.mail import Reading
from mailrouter.core.message import Address
from mailrouter.core.people import Directory

# Domains that many unrelated persons write from: sharing one makes nobody the same party.
PROVIDERS = frozenset(
    {
        *(
            "gmail.com",
            "hotmail.com",
            "outlook.com",
            "live.com",
            "yahoo.com",
            "icloud.com",
            "proton.me",
            "protonmail.com",
        ),
        *("mail.ee", "hot.ee", "online.ee", "suhtlus.ee", "eesti.ee", "mail.ru", "yandex.ru", "inbox.lv", "inbox.lt"),
        *("gmx.de", "web.de", "t-online.de", "seznam.cz", "wp.pl", "o2.pl"),
    }
)
_TELLING = 5  # letters of a word that a domain has in common with an institution's name


def internal(author: Address | None, domains: Sequence[str], directory: Directory) -> bool:
    """Whether an author is one of us. Subdomains of our domains are ours; an Exchange path (/O=…) is an inside address."""
    if author is None:
        return False
    address = (author.address or (author.name if "@" in author.name else "")).strip()
    if "@" in address:
        domain = address.rpartition("@")[2].casefold().rstrip(".")
        return any(
            domain == own or domain.endswith("." + own) for own in (each.casefold().rstrip(".") for each in domains)
        )
    if address.casefold().startswith(("/o=", "ex:/o=")):
        return True
    return _known_name(author.name or address, directory)


def _known_name(name: str, directory: Directory) -> bool:
    """Whether the directory has this very name, "Budrik, Katarina" and a remark in brackets ("(SiM)") allowed."""
    plain = " ".join(fold(name).partition("(")[0].replace("'", "").replace('"', "").split())
    if not plain:
        return False
    last, comma, first = (part.strip() for part in plain.partition(","))
    wanted = f"{first} {last}" if comma else plain
    names = (
        *(person.name for person in directory.people),
        *(group.name for group in directory.groups),
        *(unit.name for unit in directory.units),
    )
    return any(fold(known) == wanted for known in names)


def incoming_index(reading: Reading, domains: Sequence[str], directory: Directory) -> int | None:
    """The newest hop whose author is outside: -1 for the fetched mail itself, None if there is none."""
    if not internal(reading.message.author, domains, directory):
        return -1
    for index, hop in enumerate(reading.chain):
        if not internal(hop.author, domains, directory):
            return index
    return None


def correspondence(reading: Reading, index: int, directory: Directory) -> Correspondence:
    """The mail of this index in the chain, -1 for the fetched one; what is quoted or enclosed is a claim."""
    if index < 0:
        mail = reading.message
        return Correspondence(
            index=-1,
            author=mail.author,
            to=mail.to,
            cc=mail.cc,
            subject=mail.subject,
            sent=mail.date,
            message_id=mail.message_id,
            text=mail.text,
            institution=_institution(reading, mail.author, directory),
            claimed=False,
        )
    hop = reading.chain[index]
    return Correspondence(
        index=index,
        author=hop.author,
        to=hop.to,
        cc=hop.cc,
        subject=hop.subject,
        sent=hop.sent,
        message_id=hop.message_id,
        text=hop.text,
        institution=_institution(reading, hop.author, directory),
        claimed=True,
    )


def institution_name(author: Address | None, directory: Directory) -> str | None:
    """The directory's institution of an author: by address, else where the display name is an institution's."""
    if author is None:
        return None
    known = people.institution_of(directory, author.address)
    if known is not None:
        return known.name
    if author.address and "@" in author.address:
        return None
    wanted = fold(author.name).strip()
    return next((each.name for each in directory.institutions if wanted and fold(each.name) == wanted), None)


def _institution(reading: Reading, author: Address | None, directory: Directory) -> str | None:
    """The author's institution; what the directory does not know, the letterhead says, if it is the author's own."""
    known = institution_name(author, directory)
    if known is not None or author is None:
        return known
    heads = (letter for letter in reading.letters if letter.author.institution and _is_own(letter, author))
    return next((letter.author.institution for letter in heads), None)


def _is_own(letter: Letter, author: Address) -> bool:
    """Whether a letter is its sender's own: a citizen may enclose what an office wrote to them.

    The mail's own words are; an enclosed letter is where its signer is the sender, or its letterhead has an address or a
    name of the sender's domain. Where anybody may have an address, nobody is an office: rather too few are named in public.
    """
    domain = (author.address or "").rpartition("@")[2].casefold()
    if domain in PROVIDERS:
        return False
    if not letter.path or (letter.author.name and fold(letter.author.name) == fold(author.name)):
        return True
    institution = fold(letter.author.institution or "")
    if author.name and fold(author.name) in institution:
        return True
    if not domain:
        return False
    words = [word for word in re.findall(r"[^\W\d_]+", institution) if len(word) >= _TELLING]
    return any(word in domain for word in words) or f"@{domain}" in letter.text.casefold()
