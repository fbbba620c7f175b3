"""Attribution lines: "On Mon, 1 Jan 2024 10:00, A <a@x> wrote:" in any language, wrapped or not.

Found by shape: a printed date, an author, a colon at the end, a quotation below. Known verbs raise confidence and
stand in where a date or an address is missing.
"""

import re
from itertools import pairwise

from mailrouter.core.chain.context import Context
from mailrouter.core.chain.headers import Header
from mailrouter.core.chain.mailboxes import has_address, parse_author
from mailrouter.core.dates import find_sent, parse_sent
from mailrouter.core.markers import fold
from mailrouter.core.message import Address

# "… in message <5F3A.8C7@gw.example>," names the mail, not its author.
_IDENTIFIER = re.compile(r"(?<=[^\W\d_A-Z]\s)<[^<>\s]+@[^<>\s]+>,?\s(?=.{0,200}@)")
_RULED = re.compile(r"-{3,}\s(?=.{10,300}@)(.{10,400}?)\s-{3,}$")
_LONGEST = 400  # characters of an attribution, joined
_WRAPPED = 4  # lines it may be wrapped over
_PARTICLES = frozenset(
    (
        "van",
        "von",
        "de",
        "der",
        "den",
        "di",
        "da",
        "du",
        "del",
        "della",
        "dos",
        "el",
        "la",
        "le",
        "ter",
        "zu",
        "af",
        "av",
    )
)
_TRIM = " \t,،、，;:：*()\"'“”„«»—–-"


def read_attribution(context: Context, index: int) -> Header | None:
    """The attribution that ends on line `index`, or None."""
    text = _unruled(context.lines[index].text.strip())
    if not text or len(text) > _LONGEST:
        return None
    colon = text[-1] in ":："
    below = _below(context, index) if colon or text[-1].isalnum() else None
    field = context.field(index) if below is not None else None
    if below is None or (field is not None and field.role is not None):  # "cc:" with nothing behind it
        return None
    quoted = context.lines[below].depth > context.lines[index].depth
    if not quoted and not (colon and any(map(context.figure, range(max(0, index - _WRAPPED + 1), index + 1)))):
        return None
    if not colon and not _ends_in_verb(context, text) and not (quoted and has_address(text) and context.figure(index)):
        return None
    return _longest_dated(context, index, quoted=quoted, colon=colon) or (
        _undated(context, index, text) if quoted and colon else None
    )


def _below(context: Context, index: int) -> int | None:
    """The line that an attribution on line `index` can introduce; an empty quotation is one too."""
    for at in range(index + 1, min(index + 3, len(context.lines))):
        if context.blanks[at] and context.lines[at].depth > context.lines[index].depth:
            return at
    below = context.next_text(index + 1, 5)
    # At the very end of the text the mail that it introduces had no words.
    return index if below is None and has_address(context.lines[index].text) else below


def _unruled(text: str) -> str:
    """An attribution without the rules on both sides of it, "---- On …, A <a@b> wrote ---"."""
    match = _RULED.match(text) if text[:3] == "---" else None
    return f"{match[1]}:" if match is not None else text


def _ends_in_verb(context: Context, text: str) -> bool:
    return fold(text[-40:]).rsplit(" ", 1)[-1] in context.vocabulary.verbs


def _verb(context: Context, text: str) -> frozenset[str]:
    """The languages whose word for "wrote" stands in the text; none if no known one does."""
    words = fold(text).replace(":", " ").replace(",", " ").split()
    verbs = context.vocabulary.verbs
    for verb in (*(f"{one} {two}" for one, two in pairwise(words)), *words):
        if verb in verbs:
            return verbs[verb]
    return frozenset()


def _longest_dated(context: Context, index: int, *, quoted: bool, colon: bool) -> Header | None:
    """The attribution with a date, over as few lines above `index` as it takes to have date and author."""
    joined, dated = "", False
    depth = context.lines[index].depth
    for first in range(index, max(-1, index - _WRAPPED), -1):
        line = context.lines[first]
        text = _unruled(line.text.strip())
        if not text or line.depth != depth or len(joined) > _LONGEST:
            return None
        if first < index and text.endswith((":", "：", "!", "?")):
            return None
        joined = _IDENTIFIER.sub("", f"{text} {joined}".strip())
        dated = dated or context.figure(first)
        span = find_sent(joined) if dated else None
        if span is None:
            continue
        author = _author(context, joined, span)
        if author is None:
            continue
        raw = joined[span[0] : span[1]]
        languages = _verb(context, joined)
        sent = parse_sent(raw, min(languages, default=None))
        timed, verb = "T" in (sent or ""), bool(languages)
        if author.address is not None or has_address(joined):
            sure = quoted or (colon and (timed or verb))
        else:
            sure = (verb and (quoted or (timed and colon and " " in author.name))) or (quoted and timed and colon)
        if not sure:
            return None
        confidence = 0.6 + 0.15 * verb + 0.12 * quoted + 0.1 * has_address(joined)
        return _header(author, raw, sent, (first, index + 1, confidence))
    return None


def _author(context: Context, joined: str, span: tuple[int, int]) -> Address | None:
    """Who wrote, from what stands before or behind the date; None if that is a sentence rather than a name."""
    before, after = joined[: span[0]].strip(_TRIM), joined[span[1] :].strip(_TRIM)
    for piece, rest in ((after, before), (before, after)):
        if has_address(piece):
            words = rest.split()
            if len(words) > 5 or len(rest) > 45:
                return None
            return _named(context, piece)
    verb = _verb(context, joined)
    for piece, rest in ((after, before), (before, after)):
        name = _strip_said(context, piece)
        if not name or len(name.split()) > 6 or len(_strip_said(context, rest).split()) > 2:
            continue
        # Without a known verb a sentence looks much the same: the name has two words, and few stand around it.
        if verb or (" " in name and len(piece.split()) - len(name.split()) <= 2):
            return parse_author(name, context.vocabulary)
    return None


def _named(context: Context, piece: str) -> Address | None:
    """The author of a piece that holds an address: the words beside it, without those that say "wrote"."""
    # "… Central Standard Time, john@office.example": what a comma parts from a bare address is no name.
    found = parse_author(re.split(r",\s(?=[^\s<>,]+@)", piece)[-1], context.vocabulary)
    if found is None:
        return None
    name = _strip_said(context, found.name, behind=False)
    if len(name.split()) > 8:
        return None
    return Address(name, found.address)


def _strip_said(context: Context, text: str, *, behind: bool = True) -> str:
    """The text without the words of attribution lines and other small words before, and `behind`, the name."""
    said, verbs = context.vocabulary.said, context.vocabulary.verbs
    words = text.strip(_TRIM).split()
    if '"' in text or "“" in text or "„" in text:
        match = re.search(r"[\"“„«]([^\"“”„«»]+)[\"”“»]", text)
        if match is not None:
            return match[1].strip()

    def empty(word: str, *, first: bool) -> bool:
        bare = fold(word.strip(_TRIM))
        if not bare:
            return True
        if bare in _PARTICLES and first:
            return bare in said and len(words) <= 2
        return bare in said or bare in verbs or (word[0].islower() and bare not in _PARTICLES)

    # A script without capitals before a name that has them: what says "wrote" in it is no part of the name.
    cased = any(word != word.swapcase() for word in words)
    while words and (
        empty(words[0], first=True) or (cased and words[0] == words[0].swapcase() and words[0][0].isalpha())
    ):
        words.pop(0)
    while behind and words and empty(words[-1], first=False):
        words.pop()
    return " ".join(words).strip(" \t,;:*()")


def _undated(context: Context, index: int, text: str) -> Header | None:
    """An attribution without a date, "A <a@x> wrote:", above a quotation: a verb that is known, or nothing but an address."""
    if len(text) > 150:
        return None
    verb = bool(_verb(context, text))
    addressed = has_address(text)
    if not verb and not (addressed and len(text.split()) <= 6):
        return None
    author = _named(context, text.strip(_TRIM)) if addressed else None
    if author is None:
        name = _strip_said(context, text)
        if not name or len(name.split()) > 5 or not name[0].isupper():
            return None
        author = Address(name, None)
    return _header(author, "", None, (index, index + 1, 0.6 + 0.15 * addressed))


def _header(author: Address, raw: str, sent: str | None, place: tuple[int, int, float]) -> Header:
    start, end, confidence = place
    return Header(author, (), (), "", raw, sent, start, end, "", round(min(confidence, 0.99), 2))
