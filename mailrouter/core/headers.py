"""Header blocks as they come in → names and values, addresses, dates, Message-IDs; and bytes → text by charset.

Invariant: nothing raises and the work is linear in the input, whatever it holds: patterns are bounded, values are cut at
`MAX_VALUE` characters, and names stay in their order. RFC 5322 for the form, 2047 for encoded words, 2231 for the rest.
"""

import codecs
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

MAX_HEADERS: Final = 2_000
MAX_VALUE: Final = 256 * 1024  # characters; a To of 2,000 recipients fits

_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_WORD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?((?:[^?]|\?(?!=)){0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,64}\?[bBqQ]\?)")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,996}>")  # RFC 5322 § 2.1.1: a line has 998 characters at most
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ADDRESS_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.){0,120}"|=\?[^?\s]{1,64}\?[bBqQ]\?[^?]{0,2000}\?=|<[^<>]{0,1000}>|[,;:()]|[^",;:()<>=]+|.',
    re.DOTALL,
)
# Python's own generator encodes the comma behind a mailbox together with the name of the next one.
_WORD_BEHIND = re.compile(r"(?<=>)(\s{0,99})(=\?[^?\s]{1,64}\?[bBqQ]\?[^?]{0,2000}\?=)")
_QUOTED = re.compile(r"\\(.)")  # RFC 5322 § 3.2.1
_BARE_ADDRESS = re.compile(r"([^()\s]*)\s*(?:\((.*)\))?", re.DOTALL)
_SCHEME = re.compile(r"^(?:mailto|smtp):", re.IGNORECASE)
# Trace and signature fields have no words to decode; what stands in them is compared, so it stays as it came.
_VERBATIM = ("received", "authentication-results", "dkim-", "arc-", "x-mailrouter-")

# Names in the wild for charsets that Python knows by another name; the first two as browsers read them (WHATWG).
_CHARSET_ALIASES: Final = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "x-gbk": "gb18030",
    "gb2312": "gb18030",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "ansi_x3.110-1983": "cp1252",
}
# Codecs that are no charsets of mail: they would run long, or do more than decode.
_NO_CHARSETS: Final = frozenset(
    {"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
# Zone names that mail programs print though RFC 5322 § 4.3 knows only the American ones; hours east.
_ZONES: Final = {"WET": 0, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3}


def clean(text: str) -> str:
    r"""Text without control characters and lone surrogates, which neither JSON nor a database takes; lines end in \n."""
    if text.isprintable():  # true of most headers, and cheaper to see than what is to be replaced
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub(lambda match: "\ufffd" if match[0] >= "\ud800" else "", text)


def decode_text(content: bytes, charset: str | None) -> tuple[str, bool]:
    """Bytes → text and whether the declared charset was right. Else UTF-8 is tried, then Windows-1252 with marks."""
    for name in (charset, "utf-8"):
        codec = _codec(name)
        if codec is None:
            continue
        try:
            return clean(content.decode(codec)), name is charset or not charset
        except (UnicodeError, LookupError, ValueError):
            continue
    return clean(content.decode("cp1252", "replace")), False


@lru_cache(maxsize=256)  # few charsets are declared
def _codec(charset: str | None) -> str | None:
    if not charset or len(charset) > 64:
        return None
    name = charset.strip(" \"'").lower()
    try:
        found = codecs.lookup(_CHARSET_ALIASES.get(name, name)).name
    except (LookupError, ValueError, UnicodeError):
        return None
    if found.replace("_", "-") in _NO_CHARSETS:
        return None
    if found == "ascii":  # 8-bit bytes under "us-ascii" are mostly UTF-8 today
        return "utf-8"
    return _CHARSET_ALIASES.get(found, found)


def split_headers(block: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """A header block → (name, value) in order, values unfolded but not decoded; and what was wrong, as detail texts."""
    try:
        text = block.decode("utf-8")  # RFC 6532
        problems = []
    except UnicodeDecodeError:
        text = block.decode("cp1252", "replace")
        problems = ["8-bit header that is not UTF-8"]
    fields: list[tuple[str, str]] = []
    garbage = cut = 0
    for field in _logical_lines(text):
        match = _FIELD.match(field)
        if not match:
            garbage += 1
        elif len(fields) >= MAX_HEADERS:
            cut += 1
        else:
            value = match[2][: MAX_VALUE * 2]
            value = (_FOLD.sub(" ", value) if "\n" in value else value).replace("\r", " ").strip()
            cut += len(value) > MAX_VALUE
            fields.append((match[1], clean(value[:MAX_VALUE]).replace("\n", " ")))
    if garbage:
        problems.append(f"{garbage} lines that are no headers")
    if cut:
        problems.append(f"{cut} headers beyond the limit were cut or left out")
    return fields, problems


def _logical_lines(text: str) -> Iterator[str]:
    r"""Fields with their continuation lines; only \n ends a line: a bare CR inside a value does not (seen in From)."""
    gathered: list[str] = []
    for line in text.split("\n"):
        if line[:1] in {" ", "\t"} and gathered:
            gathered.append(line)
            continue
        if gathered:
            yield "\n".join(gathered)
        gathered = [line] if line.strip() else []
    if gathered:
        yield "\n".join(gathered)


def decode_header(name: str, value: str) -> str:
    """A header's value with its encoded words decoded, except in trace fields, which are compared as they came."""
    if "=?" not in value or name.lower().startswith(_VERBATIM):
        return value
    return decode_words(value)


def decode_words(value: str) -> str:
    """RFC 2047 § 6.2: encoded words decoded, the white space between two of them dropped; what is broken stays."""
    if "=?" not in value:
        return value
    joined = _BETWEEN_WORDS.sub(r"\1", value)
    pieces: list[str] = []
    pending: tuple[str, bytes] | None = None  # a character may be split over two words of one charset (seen: Exchange)
    end = 0
    for match in _WORD.finditer(joined):
        content = _word_bytes(match[2], match[3])
        if content is None:
            continue
        charset = match[1].partition("*")[0]  # RFC 2231 § 5: a language may follow
        if pending and match.start() == end and pending[0].lower() == charset.lower():
            pending = (pending[0], pending[1] + content)
        else:
            pieces.extend(_flush(pending))
            pieces.append(joined[end : match.start()])
            pending = (charset, content)
        end = match.end()
    pieces.extend(_flush(pending))
    pieces.append(joined[end:])
    return clean("".join(pieces)).replace("\n", " ")


def _flush(pending: tuple[str, bytes] | None) -> list[str]:
    return [decode_text(pending[1], pending[0])[0]] if pending else []


def _word_bytes(encoding: str, text: str) -> bytes | None:
    raw = text.encode("utf-8", "replace")
    try:
        if encoding in "bB":
            raw = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
            whole = len(raw) - (len(raw) % 4 == 1)
            return codecs.decode(raw[:whole] + b"=" * (-whole % 4), "base64")
        spaced = raw.replace(b"_", b" ")
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), spaced)
    except (ValueError, TypeError):
        return None


def parse_addresses(value: str) -> list[tuple[str, str | None]]:
    """An address list, encoded words still in it → (name, address) in order; groups flattened, nothing dropped.

    "Maasikas, Mari <m@x.example>" without quotes is one person, whatever the grammar says (seen: Outlook).
    """
    found: list[tuple[str, str | None]] = []
    waiting = ""  # a bare word before a comma: the family name of the next, or an entry without an address
    for pieces, ending in _segments(value):
        name, address = _mailbox(pieces)
        if waiting and name and address:
            name, waiting = f"{waiting}, {name}", ""
        elif waiting:
            found.append((waiting, None))
            waiting = ""
        if name and address is None and ending == ",":
            waiting = name
        elif name or address:
            found.append((name, address))
    return [*found, (waiting, None)] if waiting else found


def _segments(value: str) -> Iterator[tuple[list[str], str]]:
    """The pieces of each mailbox with the mark that ended it; group names (RFC 5322 § 3.4) are left out."""
    comments = value.count("(") == value.count(")")  # else a lone bracket is part of a name
    gathered: list[str] = []
    depth = 0
    for match in _ADDRESS_TOKEN.finditer(_WORD_BEHIND.sub(_bare_comma, value[:MAX_VALUE])):
        piece = match[0]
        if comments:
            depth = max(0, depth + (piece == "(") - (piece == ")"))
        if depth or piece not in {",", ";", ":"}:
            gathered.append(piece)
        elif piece != ":":
            yield gathered, piece
            gathered = []
        elif any(part.startswith("<") or "@" in part for part in gathered):
            gathered.append(piece)
        else:
            gathered = []  # a group's name; its members follow
    yield gathered, ","


def _bare_comma(match: re.Match[str]) -> str:
    """An encoded word that begins with the comma between two mailboxes → the comma bare, the rest encoded."""
    text = decode_words(match[2])
    if not text.startswith((",", ";")):
        return match[0]
    rest = text[1:].strip().encode("utf-8", "replace")
    return f", =?utf-8?q?{''.join(f'={byte:02X}' for byte in rest)}?=" if rest else ","


def _mailbox(tokens: list[str]) -> tuple[str, str | None]:
    """One mailbox: `name <address>`, `address (name)` or either alone."""
    angles = [index for index, token in enumerate(tokens) if token.startswith("<") and token.endswith(">")]
    if angles:
        place = angles[-1]
        return _phrase(tokens[:place]) or _phrase(tokens[place + 1 :]).strip("() "), _spec(tokens[place][1:-1])
    text = "".join(tokens).strip()
    if "@" in text:
        match = _BARE_ADDRESS.match(text)
        if match and "@" in match[1]:
            return decode_words(match[2] or "").strip(), _spec(match[1])
        spec = next((word for word in text.split() if "@" in word), "")
        return _phrase(tokens).replace(spec, "").strip(), _spec(spec)
    return _phrase(tokens), None


def _phrase(tokens: list[str]) -> str:
    words = [_QUOTED.sub(r"\1", token[1:-1]) if token.startswith('"') and len(token) > 1 else token for token in tokens]
    name = " ".join(decode_words("".join(words)).split())
    if len(name) > 1 and name[0] in "'\"" and name[0] == name[-1]:  # Outlook: "'mari@x.example'"
        name = name[1:-1].strip()
    return name


def _spec(text: str) -> str | None:
    """An addr-spec without route (RFC 5322 § 4.4), white space and URI scheme; None for X.500 names and nothing."""
    spec = "".join(decode_words(text).split()).strip("'\"<>,;")
    spec = _SCHEME.sub("", spec)
    if spec.startswith("@") and ":" in spec:
        spec = spec.rpartition(":")[2]
    return None if not spec or spec.upper().startswith("/O=") else spec[:1000]


def parse_date(value: str) -> tuple[str | None, bool]:
    """A Date header → ISO with offset and whether it was sound; None where no moment can be read from it."""
    text = value.strip()[:200]
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None, False
    sound = True
    if moment.tzinfo is None:
        zone = re.search(r"\b([A-Z]{3,4})\)?$", text)
        known = bool(zone and zone[1] in _ZONES)
        sound = known or text.endswith("-0000")  # RFC 5322 § 3.3: -0000 is UTC from a clock of unknown zone
        moment = moment.replace(tzinfo=timezone(timedelta(hours=_ZONES[zone[1]])) if zone and known else UTC)
    if not 1970 < moment.year < 2100:  # no mail is older than mail; a far year would sort and expire wrongly
        return None, False
    return moment.replace(microsecond=0).isoformat(), sound


def message_ids(value: str) -> tuple[str, ...]:
    """The Message-IDs in a header, with angle brackets, in order; a lone bare one gets its brackets."""
    found = tuple(_MESSAGE_ID.findall(value))
    bare = value.strip()
    if not found and bare and "@" in bare and not re.search(r"[\s<>]", bare):
        return (f"<{bare[:996]}>",)
    return found
