"""Header blocks that lost their line ends: several labels, or a whole chain, on one line.

Invariant: only cuts are added. Each piece of a cut line is marked as glued, so that text which turns out to be no
header is put together again as it stood.
"""

import re
from itertools import pairwise

from mailrouter.core.chain.fields import kind_of
from mailrouter.core.chain.lines import Line
from mailrouter.core.chain.mailboxes import begins_list
from mailrouter.core.chain.subjects import loose_length
from mailrouter.core.markers import Vocabulary, fold

# The last letter may carry a mark of its own, as in Thai and Hindi.
_COLON = re.compile(
    r"(?:[^\W\d_)]|[\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0eff])[.)*_]{0,3}[ \xa0]?(?:[:：][*_]{0,2})(?=\s|<|\[|$)"
)
_WORD = re.compile(r"\S+")
# What ends a value for sure: an address's bracket, a redaction's bracket, a time of day.
_HARD = re.compile(
    r"[>\]]|(?<=\S)(?:\t|[ ]{2,})(?=\S)|\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?(?=\s)|[+-]\d{4}(?=\s)|(?<=\s)[^\s<>@]+@[^\s<>@]+(?=\s)"
)
_TITLE = re.compile(r"(?:[-_=*]{10,}|[-_=*]{3,}\s?(?=[^\W\d_])[^-_=*]{3,60}?\s?[-_=*]{3,}):?\s*$")
# Where a label can begin inside a word: "--------From:", "<a@b>To:", "GMT+2Subject:".
_INSIDE = re.compile(r"(?:[-_=]{4,}|[>\]]|\d)(?=[^\W\d_])")
_FIGURE = re.compile(r"\d")
_REACH = 64  # characters that a label may have


class _Spot:
    """A label found inside a line."""

    __slots__ = ("end", "known", "role", "start")

    def __init__(self, start: int, end: int, role: str | None) -> None:
        self.start, self.end, self.role = start, end, role
        self.known = role is not None


def cut(lines: list[Line], vocabulary: Vocabulary, subject: str = "") -> list[Line]:
    """The lines, with those that hold several header fields cut before each label; `subject` is the mail's around them."""
    base = " ".join(subject.split())
    base = base[loose_length(base, vocabulary) :].lower()
    result: list[Line] = []
    seen: dict[tuple[str, bool], list[int]] = {}
    below = False  # the line above was cut: a header goes on
    for line in lines:
        starts = seen.get((line.text, below))
        if starts is None:
            starts = _starts(line.text, vocabulary, base, below=below) if _several(line.text) else []
            seen[line.text, below] = starts
        below = bool(starts) or (below and not line.text)
        if not starts:
            result.append(line)
            continue
        edges = [0, *(start for start in starts if start > 0), len(line.text)]
        for index, (start, end) in enumerate(pairwise(edges)):
            piece = line.text[start:end]
            before = line.text[len(line.text[:start].rstrip()) : start] + piece[: len(piece) - len(piece.lstrip())]
            result.append(Line(line.depth, piece.strip(), glued=before if index else line.glued))
    return result


def _title(text: str, start: int, vocabulary: Vocabulary) -> list[int]:
    """Where the separator begins that stands right before a header on the same line, if one does."""
    low = max(0, start - 120)
    match = _TITLE.search(text, low, start)
    if match is not None:
        return [match.start()]
    words = list(_WORD.finditer(text, low, start))[-6:]
    for word in words:
        if words[-1][0].endswith(":") and fold(text[word.start() : start].rstrip(" :")) in vocabulary.separators:
            return [word.start()]
    return []


def _several(text: str) -> bool:
    """Whether a line can hold several fields: two colons, and something of an address or a date if it is long."""
    if text.count(":") + text.count("：") < 2 or len(_COLON.findall(text)) < 2:
        return False
    return len(text) < 200 or "@" in text or "[" in text or _FIGURE.search(text) is not None


def _starts(text: str, vocabulary: Vocabulary, base: str, *, below: bool) -> list[int]:
    """Where the labels of the header runs in a line begin; [] if it holds no run of at least two."""
    spots = _spots(text, vocabulary)
    starts: list[int] = []
    at = 0
    while at < len(spots):
        run = _run(text, spots, at, below=below) or _names_run(text, spots, at, base)
        if len(run) >= 2:
            starts += [*_title(text, run[0].start, vocabulary), *(spot.start for spot in run)]
            at = spots.index(run[-1], at) + 1
        else:
            at += 1
    return starts


def _spots(text: str, vocabulary: Vocabulary) -> list[_Spot]:
    """All that can be labels, in order: known ones, and unknown ones that stand right behind a hard end."""
    spots: list[_Spot] = []
    habits: dict[str, str] = {}
    floor = 0
    for match in _COLON.finditer(text):
        low = max(floor, match.start() - _REACH)
        words = list(_WORD.finditer(text, low, match.start() + 1))[-5:]
        spot = _known(text, words, match, vocabulary)
        if spot is None:
            spot = _unknown(text, words, match, (floor, habits))
        # Words right behind a label's colon are its value ("Subject: FW: …", "Subject: Request: …"), not the next label.
        if spot is not None and floor and not text[floor : spot.start].strip() and not _fit(text, spot):
            spot = None
        if spot is not None:
            spots.append(spot)
            if not spot.known:
                habits[fold(text[spot.start : match.start() + 1])] = ""
        floor = match.end()
    return [spot for index, spot in enumerate(spots) if not _inside_subject(text, spots, index)]


def _inside_subject(text: str, spots: list[_Spot], index: int) -> bool:
    """Whether an unknown label is a word of a subject: "Subject: Access rights: reset  To: a@b"."""
    if spots[index].known or not 0 < index < len(spots) - 1 or spots[index - 1].role != "subject":
        return False
    after = spots[index + 1]
    if after.role not in ("to", "cc") or not begins_list(text[after.end : after.end + 120].strip(" *_")):
        return False
    return kind_of(text[spots[index].end : min(after.start, spots[index].end + 300)].strip(" *_")) == "text"


def _fit(text: str, spot: _Spot) -> bool:
    """Whether a label that follows right behind another has what belongs to it: "Subject: Date: to be confirmed" has not."""
    value = text[spot.end : spot.end + 120]
    if spot.role == "date":
        return _FIGURE.search(value[:40]) is not None
    return spot.known and (
        spot.role == "subject" or begins_list(value.strip(" *_")) or not text[: spot.start].strip(" *_|")
    )


def _known(text: str, words: list[re.Match[str]], match: re.Match[str], vocabulary: Vocabulary) -> _Spot | None:
    for word in words:
        if any(map(str.isalpha, word[0])):  # no rule before the label
            spot = _labelled(text, word.start(), match, vocabulary)
            if spot is not None:
                return spot
    if words:
        for inside in _INSIDE.finditer(text, words[0].start(), match.end()):
            spot = _labelled(text, inside.end(), match, vocabulary)
            if spot is not None:
                return spot
    return None


def _labelled(text: str, start: int, match: re.Match[str], vocabulary: Vocabulary) -> _Spot | None:
    """The known label that begins at `start` and ends with the colon that was found."""
    label = fold(text[start : match.end()].strip("*_ \xa0:："))
    known = vocabulary.labels.get(label) or vocabulary.labels.get(label.rstrip("."))
    if known is None or known.role in ("form", "other"):
        return None
    # A label begins with a capital, "… sent to: …" in a sentence does not; behind an address or a time it may.
    first = text[start : start + 4].lstrip("*_")[:1]
    ended = _HARD.search(text[max(0, start - 6) : start])
    return _Spot(start, match.end(), known.role) if _capital(first) or ended is not None else None


def _capital(letter: str) -> bool:
    """Whether a label can begin with a letter: a capital, or one of a script that has none (Georgian writes none)."""
    return letter.isalpha() and (letter.isupper() or letter == letter.swapcase() or "\u10d0" <= letter <= "\u10ff")


def _unknown(
    text: str, words: list[re.Match[str]], match: re.Match[str], state: tuple[int, dict[str, str]]
) -> _Spot | None:
    floor, habits = state
    for word in words:  # a label that this line has used before, whatever stands before it
        if fold(text[word.start() : match.start() + 1]) in habits:
            return _Spot(word.start(), match.end(), None)
    ends = [hard.end() for hard in _HARD.finditer(text, max(floor - 1, match.start() - 2 * _REACH, 0), match.start())]
    if ends:
        inside = [word for word in words if word.start() >= ends[-1]]
        if 1 <= len(inside) <= 4 and inside[0].group()[0].isalpha():
            return _Spot(inside[0].start(), match.end(), None)
    # Text runs up to the label: it begins with its last capital, "… Lugupidamisega Enviat el:".
    capitals = [word for word in words[-3:] if _capital(word[0][:1])]
    begin = (capitals or words)[-1:]
    return _Spot(begin[0].start(), match.end(), None) if begin else None


def _run(text: str, spots: list[_Spot], first: int, *, below: bool) -> list[_Spot]:
    """The labels from `first` on that form one header: distinct roles, values of the right shape."""
    run: list[_Spot] = []
    seen: set[str] = set()
    shapes: set[str] = set()
    recipients = -1  # the first mailbox is the author's
    for index in range(first, min(first + 8, len(spots))):
        spot = spots[index]
        after = spots[index + 1].start if index + 1 < len(spots) else len(text)
        kind = kind_of(text[spot.end : min(after, spot.end + 3000)].strip(" *_"))
        if spot.role is not None and spot.role in seen:
            break
        titled = not run and kind == "text" and _leads(text, spots, index, below=below)
        if spot.role is None and not run and kind != "address" and not titled:
            break
        if spot.role is None and kind not in ("address", "date", "text"):
            break
        run.append(spot)
        seen.add(spot.role or "")
        shapes.add(kind)
        recipients += kind == "address"
        if spot.role == "subject" and not _more(text, spots, index, seen, below=below):
            break
        if (
            spot.role is None
            and kind == "text"
            and not titled
            and not _recipients_follow(text, spots, index, recipients)
        ):
            break
    strong = sum(spot.known for spot in run) >= 2 and (run[0].start == 0 or "address" in shapes or "date" in shapes)
    begun = bool(run) and not text[: run[0].start].strip()
    sure = strong or {"address", "date"} <= shapes or (below and begun) or (begun and {"text", "date"} <= shapes)
    return run if sure else []


def _value(text: str, spots: list[_Spot], index: int) -> str:
    """The first characters of what stands behind a label, "" where there is none near."""
    if index >= len(spots) or (index and spots[index].start - spots[index - 1].end > 300):
        return ""
    end = spots[index + 1].start if index + 1 < len(spots) else len(text)
    return text[spots[index].end : min(end, spots[index].end + 300)].strip(" *_")


def _leads(text: str, spots: list[_Spot], index: int, *, below: bool) -> bool:
    """Whether a line begins with an unknown label for a subject: its next value is a date, or mailboxes below a cut line."""
    if text[: spots[index].start].strip():
        return False
    value = _value(text, spots, index + 1)
    return kind_of(value) == "date" or (below and begins_list(value))


def _recipients_follow(text: str, spots: list[_Spot], index: int, recipients: int) -> bool:
    """Whether the first recipients stand behind a subject under an unknown label, as in Gmail's order."""
    return recipients == 0 and begins_list(_value(text, spots, index + 1))


def _names_run(text: str, spots: list[_Spot], first: int, base: str) -> list[_Spot]:
    """A run of unknown labels with names alone, told by its date and by the subject of the mail around it."""
    if len(base) < 5 or first + 2 >= len(spots) or spots[first + 1].start - spots[first].end > 80:
        return []
    when = text[spots[first + 1].end : spots[first + 2].start].strip()
    if kind_of(when) != "date":
        return []
    for last in range(first + 2, min(first + 7, len(spots))):
        begin = spots[last].end
        at = text[begin : begin + len(base) + 80].lower().find(base)
        between = [spot for spot in spots[last + 1 : last + 4] if spot.end < begin + at]
        before = text[begin : begin + max(at, 0)].strip()
        if at >= 0 and not between and (not before or before[-1] in ":]"):
            return spots[first : last + 1]
        if spots[last].start - spots[last - 1].end > 300:
            return []
    return []


def _more(text: str, spots: list[_Spot], index: int, seen: set[str], *, below: bool) -> bool:
    """Whether more fields follow the subject, as in the orders of Gmail, Apple and Thunderbird."""
    value = _value(text, spots, index + 1)
    if not value:
        return False
    role = spots[index + 1].role or ("to" if "to" not in seen else None)
    if role is None or role in seen:
        return False
    if role == "date":
        return kind_of(value) == "date"
    authored = "from" in seen or (below and not text[: spots[index].start].strip())
    return role in ("from", "to", "cc") and begins_list(value) and (role == "from" or authored)


def part_subject(value: str, subjects: list[str], others: list[str], vocabulary: Vocabulary) -> tuple[str, str]:
    """A value that runs on into the body → (subject, body).

    The subjects of the mails around it end it; else a greeting; else what it shares with the `others`, the values of
    the same kind in this text; else all of a short value is the subject.
    """
    text = " ".join(value.split())
    lowered = text.lower()
    if len(lowered) == len(text):
        for known in subjects:
            base = " ".join(known.split())
            base = base[loose_length(base, vocabulary) :]
            at = lowered.find(base.lower()) if len(base) >= 2 else -1
            if 0 <= at <= 60 and (at == 0 or text[:at].rstrip()[-1:] in (":", "]", "：")):
                end = at + len(base)
                if end == len(text) or not text[end].isalnum():
                    return text[:end], text[end:].strip()
    greeting = _greeting(text, vocabulary)
    shared = max((_shared(text, other, vocabulary) for other in others), default=0)
    if shared and (greeting is None or shared <= greeting):
        return text[:shared].strip(), text[shared:].strip()
    if greeting is not None:
        return text[:greeting].strip(), text[greeting:].strip()
    if len(text) <= 120:
        return text, ""
    edge = re.search(r"(?<=[^\W\d_A-Z]) (?=[A-ZÀ-ÞĀ-ŽΑ-ΩА-Я])", text[40:])
    end = 40 + edge.start() if edge is not None else text.rfind(" ", 0, 120)
    return text[:end].strip(), text[end:].strip()


def _greeting(text: str, vocabulary: Vocabulary) -> int | None:
    """Where the first word of a greeting begins, not at the start; None without one."""
    for word in re.finditer(r"(?<=\s)[^\W\d_]+", text[:400]):
        if not word[0][0].isupper():
            continue
        tail = fold(text[word.start() : word.start() + 40])
        for greeting in vocabulary.greetings:
            if tail.startswith(greeting) and not tail[len(greeting) : len(greeting) + 1].isalnum():
                return word.start()
    return None


def _shared(text: str, other: str, vocabulary: Vocabulary) -> int:
    """How long the subject is if two values that run on into their bodies share one; 0 if they share too little."""
    mine, theirs = loose_length(text, vocabulary), loose_length(other, vocabulary)
    size = 0
    for one, two in zip(text[mine:], other[theirs:], strict=False):
        if one.casefold() != two.casefold():
            break
        size += 1
    end = text.rfind(" ", 0, mine + size + 1) if mine + size < len(text) else len(text)
    words = text[mine : max(end, mine)].split()
    return end if len(words) >= 3 and text != other else 0
