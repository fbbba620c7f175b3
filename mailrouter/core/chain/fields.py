"""One line of a header block: "label: value" as printed, and what its value looks like.

Invariant: shape first. `kind` says what the value is whatever the label; the role of a known label is a second voice.
"""

import re
from dataclasses import dataclass

from mailrouter.core.chain.mailboxes import begins_list
from mailrouter.core.dates import find_sent, parse_sent
from mailrouter.core.markers import Label, Vocabulary, fold, without_marks

# The label: up to five words without digits, maybe starred or in a table cell, then a colon, a tab or a cell's border.
_FIELD = re.compile(
    r"[ \t|]*(?:[-–*•·▪◦‣][ \t]+)?(?P<open>[*_]{0,2})(?P<label>[^\W\d_][^:：\t|<>@*\d\n]{0,38}?)[ \xa0\u202f]?"
    r"(?:(?P<close>[*_]{0,2})[ \xa0\u202f]{0,2}[:：](?P<late>[*_]{0,2})|(?P<cell>[*_]{0,2}[ ]?[\t|]))"
    r"(?P<value>.*)$"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}(?!\d)")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_WORDS = 5


@dataclass(frozen=True, slots=True)
class Field:
    """A line "label: value". `role` is the known label's, None if no language knows it."""

    label: str  # folded
    value: str  # stars and cell borders taken off, spaces kept
    role: str | None
    known: Label | None
    kind: str  # "address", "date" (may be unreadable, but has a year and a time), "day" (a date alone), "figure" (no letter), "text", "empty"


def read_field(text: str, vocabulary: Vocabulary) -> Field | None:
    """The line as a field, or None if it has no such shape."""
    head = text[:64]
    if ":" not in head and "\t" not in head and "|" not in head and "：" not in head:
        return None
    match = _FIELD.match(without_marks(text))
    if match is None:
        return None
    label = fold(match["label"]).rstrip(" -–")
    if not label or label.count(" ") >= _WORDS:
        return None
    known = vocabulary.labels.get(label) or vocabulary.labels.get(label.rstrip("."))
    if match["cell"] is not None and known is None:
        return None
    value = _value(match)
    if "&lt;" in value and "@" in value:  # HTML whose brackets were escaped once too often
        value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    if value.startswith("//"):  # a link
        return None
    role = known.role if known is not None and known.role not in ("form", "other") else None
    language = min(known.languages) if role == "date" and known is not None else None
    kind = kind_of(value, language)
    if role == "from" and kind == "date" and (find_sent(value) or (0, 0))[0] > 0:
        kind = "text"  # a name with a date behind it, as Notes prints
    if role in ("from", "to", "cc") and kind == "date":
        # Nobody is called "12.03.2024 10:00": the word means another thing here, in a form or in another language.
        role, known = None, None
    return Field(label, value, role, known, kind)


def _value(match: re.Match[str]) -> str:
    value = match["value"].strip().strip("|").strip()
    if match["open"] and not match["close"] and not match["late"]:
        value = value.removesuffix(match["open"])
    if value.startswith("**") or (value.startswith("*") and value.count("*") % 2):
        value = value.lstrip("*").strip()
    return value


def kind_of(value: str, language: str | None = None) -> str:
    """What a value looks like: "address", "date", "day", "figure", "text" or "empty"."""
    if not value:
        return "empty"
    return "address" if begins_list(value) else _figures(value, language)


def _figures(value: str, language: str | None) -> str:
    """What a value without an address looks like."""
    if len(value) <= 100 and _DIGIT.search(value):
        sent = parse_sent(value, language)
        if sent is not None:
            if not _mostly_date(value):
                return "text"
            return "date" if "T" in sent else "day"
        if len(value) <= 70 and _YEAR.search(value) and _TIME.search(value):
            return "date"
        if not _LETTER.search(value):
            return "figure"
    return "text"


def _mostly_date(value: str) -> bool:
    """A date and hardly a word more: "Request of 12 May 2024 about the border crossing" is a subject."""
    words = [word for word in value.split() if not any(character.isdigit() for character in word)]
    return len(words) <= 6 and len(value) <= 75
