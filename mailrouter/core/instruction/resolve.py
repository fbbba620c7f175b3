"""Orders as printed → an Instruction: names by the directory, "minu" by the author, days by the mail's date.

Invariant: a name that may mean several is never chosen; then, as after a contradiction, a person must say (`hold`).
"""

import re
from dataclasses import replace
from datetime import date

from mailrouter.core.instruction.nouns import AUTHOR
from mailrouter.core.instruction.orders import Instruction, Orders
from mailrouter.core.instruction.periods import resolve_deadline
from mailrouter.core.language import fold
from mailrouter.core.message import Address
from mailrouter.core.people import Directory, Found, NotFound, find, nominative, person_by_email
from mailrouter.core.people.declension import usual

_AND = re.compile(r"\s+(?:ja|ning|and|und|et|i|и|un|ir|och|og|sekä|&)\s+|\s*[,;/]\s*", re.IGNORECASE)
_ARTICLES = re.compile(r"^(?:the|our|meie|teie|pr|hr|proua|härra|mr|mrs|ms|dr|kolleeg\w*)\.?\s+", re.IGNORECASE)
_PARTED = re.compile(r"(?<=\w)['’](?=(?:sse|le|lle|ks|ga|st|lt|ni|ile)\b)")  # "Marge'le"
# "Jaan Kukk's deputy" is not Jaan Kukk.
_RELATED = re.compile(
    r"\b[A-ZÕÄÖÜ][\w-]*(?:['’]s)?\s+(?:deputy|assistant|successor|replacement|boss|superior|manager|team|colleagues?"
    r"|asetäitja\w*|assistendi\w*|asendaja\w*|ülemuse\w*|abilise\w*|abile|alluva\w*|järeltulija\w*)\b"
)
_INITIALS = 3  # letters
_EXPLAINED = re.compile(r"([^()]+?)\s*\(([^()]+)\)")  # "the working group (merekeskkonna töörühm)"
_ABBREVIATED = re.compile(r"(?<=[A-ZÕÄÖÜ]{2})-(?:le|sse|ga|lt|ile|i)$")  # "PPA-le"


def resolve_orders(orders: Orders, *, author: Address, sent: str | None, directory: Directory) -> Instruction:
    """What the orders mean when `author` gave them in a mail of `sent` (ISO date or date-time, its own zone).

    Names become the directory's where it knows exactly one, else stand in the nominative; "@author" becomes the
    author's entry, else the author's own name. A deadline becomes an ISO date. `hold` where the orders are unclear, a
    name is ambiguous, or a deadline cannot be computed; `unclear` says why.
    """
    orders = replace(
        orders,
        responsible_raw=orders.responsible_raw and _PARTED.sub("", orders.responsible_raw),
        forward_to_raw=tuple(_PARTED.sub("", raw) for raw in orders.forward_to_raw),
    )
    doubts = [orders.unclear] if orders.unclear else []
    day = _day(sent)
    on = day.isoformat() if day else None
    responsible = None
    if orders.responsible_raw is not None:
        names = _resolve(orders.responsible_raw, author, directory, on, doubts)
        responsible = names[0] if names else None
        known = isinstance(find(directory, orders.responsible_raw, on=on), Found)
        if responsible == _unknown(orders.responsible_raw) and not known and _nobody(responsible):
            doubts.append(f"“{orders.responsible_raw}” is nobody that the directory knows")
            responsible = None
    forward: dict[str, None] = {}
    for raw in orders.forward_to_raw:
        forward.update(dict.fromkeys(_resolve(raw, author, directory, on, doubts)))
    deadline = None
    if orders.deadline_raw is not None:
        due = resolve_deadline(orders.deadline_raw, day)
        deadline = due.isoformat() if due else None
        if due is None:
            doubts.append(f"the deadline “{orders.deadline_raw}” gives no day")
    return Instruction(
        register=orders.register,
        responsible=responsible,
        forward_to=tuple(forward),
        purpose=orders.purpose,
        deadline=deadline,
        restriction=orders.restriction,
        hold=bool(doubts),
        unclear="; ".join(dict.fromkeys(doubts)) or None,
        evidence=orders.evidence,
    )


def _day(sent: str | None) -> date | None:
    try:
        return date.fromisoformat(sent[:10]) if sent else None
    except ValueError:
        return None


def _resolve(raw: str, author: Address, directory: Directory, on: str | None, doubts: list[str]) -> list[str]:
    """The names that a written one stands for: one, several for "A and B", none where it is ambiguous."""
    if raw == AUTHOR:
        return [_author(author, directory, on)]
    raw = _told(raw, directory, on)
    found = find(directory, raw, on=on)
    if isinstance(found, NotFound) and found.candidates:
        doubts.append(f"“{raw}” may be {', '.join(found.candidates)}")
        return []
    if name := found.name if isinstance(found, Found) else _beginning(raw, directory, on):
        return [name]
    if _RELATED.search(raw):
        doubts.append(f"“{raw}” is nobody that the directory knows")
        return []
    parts = [part for part in _AND.split(raw) if part]
    if len(parts) > 1:
        known = [find(directory, part, on=on) for part in parts]
        if any(isinstance(answer, Found) or answer.candidates for answer in known) or all(
            p[0].isupper() for p in parts
        ):
            return [name for part in parts for name in _resolve(part, author, directory, on, doubts)]
    return [_unknown(raw)]


def _told(raw: str, directory: Directory, on: str | None) -> str:
    """Of a name that is said again in parentheses the one that the directory knows, the outer one before the inner."""
    said = _EXPLAINED.fullmatch(raw)
    if said is None:
        return raw
    return next((name for name in said.groups() if isinstance(find(directory, name, on=on), Found)), said[1])


def _nobody(name: str) -> bool:
    """Whether a responsible unknown to the directory is no usual name either ("accordingly"), or mere initials."""
    words = name.split()
    if name.isupper() and len(name) <= _INITIALS:
        return True  # "LP"
    return name.islower() and "@" not in name and len(words) < 3 and not any(usual(word) for word in words)


def _author(author: Address, directory: Directory, on: str | None) -> str:
    """The one who writes: by address, else by name, else as the mail has it."""
    person = person_by_email(directory, author.address, on=on)
    if person is not None:
        return person.name
    found = find(directory, author.name, on=on) if author.name else NotFound("")
    return found.name if isinstance(found, Found) else author.name or author.address or ""


def _beginning(raw: str, directory: Directory, on: str | None) -> str | None:
    """The entry that a name means once small words behind it fall away ("minister's advisers straight away")."""
    words = raw.split()
    while len(words) > 1 and not _RELATED.search(raw) and words[-1][:1].islower() and not _AND.search(f" {words[-1]} "):
        words.pop()
        found = find(directory, " ".join(words), on=on)
        # In small letters only a group's or unit's name is told from the beginning of a post ("ministri sekretärile").
        telling = any(word[:1].isupper() for word in words) or len(words) > 1
        if isinstance(found, Found) and telling:
            return found.name
    return None


def _unknown(raw: str) -> str:
    """A name that the directory does not have, in the nominative and without a post before it."""
    name = _ABBREVIATED.sub("", _ARTICLES.sub("", raw))
    words = name.split()
    while len(words) > 1 and words[-1][:1].islower() and any(word[:1].isupper() for word in words):
        words.pop()
    name = " ".join(words)
    capitals = [at for at, word in enumerate(words) if word[:1].isupper()]
    if capitals and capitals[-1] == len(words) - 1:
        first = capitals[-1]
        while first > 0 and words[first - 1][:1].isupper():
            first -= 1
        if len(words) - first > 1 or first == 0:
            name = " ".join(words[first:])
    return nominative(name) if fold(name) else raw
