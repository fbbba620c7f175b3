"""Mailboxes as mail programs print them in a header block → Address.

Invariant: what is printed stays: a name is never made from an address, and a redacted address is None.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header

from mailrouter.core.markers import Vocabulary, load, without_marks
from mailrouter.core.message import Address

_LIMIT = 20_000  # characters of one list of recipients
# The domain has a dot: "Jaan Mets/ORG@ORG" is how Notes prints a name.
ADDRESS = re.compile(r"[^\s<>\[\]()\"',;:|@*]{1,64}@(?:[^\s<>\[\]()\"',;:|@.*]{1,63}\.){1,12}[^\W\d_][\w-]{1,62}")
REDACTED = re.compile(
    r"\[\s?e-?mail\s(?:protected|redacted|removed|hidden)\s?\]|<redacted>|\[redacted\]", re.IGNORECASE
)
_ANY = re.compile(rf"{REDACTED.pattern}|{ADDRESS.pattern}", re.IGNORECASE)
# Around an address: "<a@b>", "[mailto:a@b]", "<a@b<mailto:a@b>>", "(a@b)", and spaces between.
_OPEN = re.compile(r"[\s<\[(]*(?:mailto:)?[\"']?$", re.IGNORECASE)
_CLOSE = re.compile(r"(?:\?[^\s>\])]*)?[\s]*[>\])\"']*(?:\s*>)*")
_BETWEEN = re.compile(r"[\"'”]?\s?<")  # an address that stands in a name's place
_WORDS = re.compile(r"=\?[\w-]+(?:\*[\w-]+)?\?[bq]\?[^?\s]*\?=", re.IGNORECASE)
_NAME = 300  # characters in which a list of mailboxes has its first address
_SPECIAL = re.compile(r"[\"<>,;]")
_QUOTES = "\"'“”„«»‘’`"


def has_address(text: str) -> bool:
    """Whether an address, or the mark of a redacted one, stands in the text."""
    return ("@" in text and ADDRESS.search(text) is not None) or ("[" in text and REDACTED.search(text) is not None)


def begins_list(text: str) -> bool:
    """Whether a text begins as a list of mailboxes does: an address with no more than a name before it."""
    if "@" not in text and "[" not in text:
        return False
    head = text[:_NAME]
    spot = (ADDRESS.search(head) if "@" in head else None) or REDACTED.search(head)
    if spot is None:
        return False
    before = re.split(r"[;,]", head[: spot.start()])[-1].lower().replace("mailto:", "")
    return before.count(" ") <= 9 and ":" not in before


def decode_words(text: str) -> str:
    """RFC 2047 words that a program left undecoded, decoded; other text as it is."""
    if "=?" not in text or not _WORDS.search(text):
        return text
    joined = re.sub(r"\?=\s+=\?", "?==?", text)

    def decoded(match: re.Match[str]) -> str:
        try:
            pieces = decode_header(match[0])
            return "".join(
                piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace")
                for piece, charset in pieces
            )
        except (HeaderParseError, LookupError, ValueError):
            return match[0]

    return _WORDS.sub(decoded, joined)


def parse_list(value: str) -> tuple[Address, ...]:
    """The mailboxes of a To or Cc line, in order, as printed; () for an empty line."""
    text = " ".join(decode_words(value[:_LIMIT]).split()).strip()
    found = (_mailbox(piece) for piece in _pieces(text))
    return tuple(mailbox for mailbox in found if mailbox is not None)


def part_list(value: str) -> tuple[str, str]:
    """A list of mailboxes that runs on into other text → (list, text): it ends at the first address without a comma behind."""
    for spot in _ANY.finditer(value):
        end = _closing(value, spot)
        if not value[end:].lstrip().startswith((",", ";")):
            return value[:end], value[end:].strip()
    return value, ""


def parse_author(value: str, vocabulary: Vocabulary | None = None) -> Address | None:
    """The mailbox of a From line; of "A <a@x> on behalf of B <b@x>" it is B, in whose name the mail speaks."""
    text = " ".join(decode_words(value[:1000]).split()).strip()
    folded = text.lower()
    if text.count(" ") >= 3 and len(folded) == len(text):
        for phrase in (vocabulary or load()).behalf:
            at = folded.find(f" {phrase} ")
            if at > 0 and text[at + len(phrase) + 2 :].strip() and (len(phrase) > 4 or _ANY.search(text[:at])):
                text = text[at + len(phrase) + 2 :]
                break
    spots = list(_ANY.finditer(text))
    if len(spots) >= 2 and ";" not in text:
        # One person's address is often printed twice; two different ones are a list whose first is the author.
        same = len({spot[0].casefold() for spot in spots}) == 1
        named = len(spots) == 2 and _BETWEEN.fullmatch(text[spots[0].end() : spots[1].start()]) is not None
        text = text if same or named else text[: _closing(text, spots[0])]
    return _mailbox(text.rstrip("; "))


def _closing(text: str, spot: re.Match[str]) -> int:
    match = _CLOSE.match(text, spot.end())
    return match.end() if match is not None else spot.end()


def _pieces(text: str) -> list[str]:
    """The text of each mailbox of a list."""
    if not text:
        return []
    parts = _cut(text, ";")
    if len(parts) > 1 or ";" in text:
        return [piece for part in parts for piece in (_by_address(part) if part.count("@") > 1 else [part])]
    return _by_address(text) if _ANY.search(text) else _names(text)


def _cut(text: str, mark: str) -> list[str]:
    """The text cut at a mark that stands outside quotation marks and angle brackets."""
    parts: list[str] = []
    start, quoted, depth = 0, False, 0
    closing = text.count('"')
    for found in _SPECIAL.finditer(text):
        at, character = found.start(), found[0]
        if character == '"':
            closing -= 1
            quoted = not quoted and closing > 0  # a lone quotation mark opens nothing
        elif character == "<":
            depth = 1
        elif character == ">":
            depth = 0
        elif character == mark and not quoted and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _names(text: str) -> list[str]:
    """A list of names without addresses: "Mets, Jaan" is one person, "Jaan Mets, Mari Kask" are two."""
    parts = _cut(text, ",")
    if len(parts) == 2 and " " not in parts[0] and parts[1].count(" ") <= 1:
        return [text]
    return parts


def _by_address(text: str) -> list[str]:
    """A comma list in which names may hold commas: each piece ends with its address."""
    parts = _cut(text, ",")
    with_address = [_ANY.search(part) is not None for part in parts]
    pairs = len(parts) > 1 and all(with_address[1::2]) and not any(with_address[::2]) and len(parts) % 2 == 0
    pieces: list[str] = []
    held = ""
    for part, addressed in zip(parts, with_address, strict=True):
        name = part.split("<")[0].strip()
        if held and addressed and (pairs or ("<" in part and len(name.split()) == 1)):
            pieces.append(f"{held}, {part}")
            held = ""
            continue
        if held:
            pieces.append(held)
            held = ""
        if addressed:
            pieces.append(part)
        else:
            held = part
    return [*pieces, held] if held else pieces


def _mailbox(piece: str) -> Address | None:
    text = piece.strip(" \t,;")
    spots = list(_ANY.finditer(text))
    if not spots:
        name = _clean(text)
        return Address(name, None) if name else None
    spot = spots[-1] if len(spots) > 1 and "<" in text else spots[0]
    opening = _OPEN.search(text[: spot.start()])
    before = text[: opening.start()] if opening is not None else ""
    name = _clean(before)
    address = None if REDACTED.fullmatch(spot[0]) else spot[0].removeprefix("mailto:")
    if REDACTED.fullmatch(before.strip()) or name.casefold() == (address or "").casefold():
        name = ""
    for other in spots[:-1]:
        bare = name.rstrip(" >])")
        if (
            bare.endswith(other[0])
            and other[0].casefold() in ((address or "").casefold(), bare.casefold())
            and bare != other[0]
        ):
            name = _clean(bare[: -len(other[0])])
    if not name:
        behind = text[_closing(text, spot) :].strip()
        if behind.startswith("(") and behind.endswith(")"):  # "a@b (Name)", RFC 822's old form
            name = _clean(behind[1:-1])
    return Address(name, address)


def _clean(name: str) -> str:
    text = without_marks(name).strip(" \t,;*<([")
    while len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    if text.count('"') == 1:
        text = text.replace('"', "").strip()
    return text.replace('\\"', '"')
