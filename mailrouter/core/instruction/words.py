"""Text → sentences of words: what is the author's signature, disclaimer or wrapping falls away here.

Invariant: a word keeps its printed form and its place; phrases are sought in the folded words alone, so that case,
diacritics and line breaks never decide.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from typing import NamedTuple

from mailrouter.core.dates import month_numbers
from mailrouter.core.instruction.spelling import folded as _folded
from mailrouter.core.instruction.spelling import lettered
from mailrouter.core.language import fold

_NO_ADDRESS = r"""
      [^\W\d_]++(?:[-'’][^\W\d_]++)*+         # a word, hyphens and apostrophes inside
    | \d++(?:[./-]\d++)*+                     # a number, a date or a reference number
    | [^\w\s]
"""
_WORD = re.compile(_NO_ADDRESS, re.VERBOSE)
_WORD_OR_ADDRESS = re.compile(rf"[\w.+-]++@[\w-]+(?:\.[\w-]+)+ | {_NO_ADDRESS}", re.VERBOSE)  # every word might be one
_ENDS_SENTENCE = frozenset(".!?…")
_SENTENCE_OVER = re.compile(r"[.!?)]\s+")
_POSTSCRIPT = re.compile(r"p\.?\s?s\b|nb\b")
_BULLET = re.compile(r"^\s*(?:[-–—•*·▪‣]|\(?\d{1,2}[.)]|[a-h]\))\s+(?=\S)")
_WRAPPED_FROM = 58  # a line at least so long goes on in the next one
_LONGEST_SIGNATURE = 8  # words on the line of the closing
_LONGEST_SENTENCE = 150  # words: nobody orders in longer ones, and the work stays linear
_LONGEST = 12_000  # characters of an author's own words that are looked at


class Word(NamedTuple):  # a mail has hundreds, and a tuple is made in a third of the time that a dataclass takes
    """One word, number or punctuation mark: as printed, folded, and its place in the text."""

    text: str
    folded: str
    start: int
    end: int

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital letter."""
        return self.text[:1].isupper()

    @property
    def mark(self) -> bool:
        """Whether it is punctuation."""
        return not self.text[:1].isalnum()


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words of one sentence, and the text that they stand in."""

    words: tuple[Word, ...]
    source: str

    @property
    def asks_back(self) -> bool:
        """Whether it ends with a question mark."""
        return bool(self.words) and self.words[-1].text == "?"

    def printed(self, first: int, last: int) -> str:
        """Words first..last-1 as they stand in the text, blanks joined."""
        if first >= last:
            return ""
        return " ".join(self.source[self.words[first].start : self.words[last - 1].end].split())


def words_of(text: str) -> tuple[Word, ...]:
    """The words, numbers and punctuation marks of a text."""
    return tuple([Word(m[0], _folded(m[0]), m.start(), m.end()) for m in _pattern(text).finditer(text)])


def folded_words(text: str, asides: frozenset[str]) -> Sequence[str]:
    """The folded words of a text's sentences one behind the other: cheap, where it is only asked what words there are."""
    folded = list(chain.from_iterable(map(_folded_piece, text.split())))
    return folded if asides.isdisjoint(folded) else [word.folded for word in _without_asides(words_of(text), asides)]


@lru_cache(maxsize=1 << 14)  # as of the words
def _folded_piece(piece: str) -> tuple[str, ...]:
    """The folded words of what stands between two blanks: no word reaches over one."""
    return tuple(map(_folded, _pattern(piece).findall(piece)))


def _pattern(text: str) -> re.Pattern[str]:
    return _WORD_OR_ADDRESS if "@" in text else _WORD


def paragraphs(text: str, *, closings: re.Pattern[str], notices: re.Pattern[str], joiners: frozenset[str]) -> list[str]:
    """The paragraphs of an author's own words, each on one line, without closing, signature and disclaimers.

    `closings` matches "Tervitades", `notices` the first words of a disclaimer (both in folded lines); `joiners` are
    words after which a line goes on.
    """
    return _paragraphs(_body(lettered(text[:_LONGEST]), closings, notices), joiners)


def _body(text: str, closings: re.Pattern[str], notices: re.Pattern[str]) -> list[str]:
    """The lines before the closing, and those after it that are marked as a postscript."""
    lines: list[str] = []
    closed = False
    written = text.splitlines()
    answered = any(line.strip() and not line.startswith(">") for line in written)
    # Folding keeps every line's end, but nothing may be left of a last line without one.
    for line, folded in zip_longest(written, fold(text).splitlines()[: len(written)], fillvalue=""):
        if answered and line.startswith(">"):
            continue  # somebody else's words, answered below or above
        stripped = folded.strip(" >*_\t|")
        if _POSTSCRIPT.match(stripped):
            lines.append(line)
            continue
        if closed:
            continue
        if not stripped:
            lines.append(line)
            continue
        if stripped in {"--", "-- "} or notices.match(stripped):
            closed = True
            continue
        closing = _closing(line, folded, closings)
        if closing is None:
            lines.append(line)
        else:
            closed = True
            if len(folded) == len(line):
                lines.append(line[:closing])
    return lines


def _closing(line: str, folded: str, closings: re.Pattern[str]) -> int | None:
    """Where a line ends before its closing, which is all of the line or stands behind a sentence; None if it has none."""
    begins = [(0, len(folded) - len(folded.lstrip()))]
    begins += [(over.start() + 1, over.end()) for over in _SENTENCE_OVER.finditer(folded)]
    for end, begin in begins:
        if (found := closings.match(folded, begin)) and _signed(line, folded, found.end()):
            return end
    return None


def _signed(line: str, folded: str, end: int) -> bool:
    """Whether nothing but a name follows a closing: "Thanks, Mari", not "Thanks! Please register the letter."."""
    rest = (line if len(folded) == len(line) else folded)[end:].strip(" ,.!*_\t|")
    words = rest.split()
    if not words:
        return True
    name = words[0][:1].isupper() and (len(words) == 1 or words[1][:1].isupper() or words[0].endswith(","))
    return name and len(words) <= _LONGEST_SIGNATURE


def _paragraphs(lines: list[str], joiners: frozenset[str]) -> list[str]:
    """Lines joined where one is wrapped into the next."""
    joined: list[str] = []
    previous = ""
    listed = False
    for line in lines:
        bare = _BULLET.sub("", line).strip(" >*_\t")
        if not bare:
            previous = ""
            continue
        bullet = _BULLET.match(line) is not None
        listed = bullet and (listed or previous.endswith(":"))
        if listed and previous:
            # "Palun:" with a list below it is one sentence.
            joined[-1] += (" " if previous.endswith(":") else ", ") + bare.rstrip(".;,")
        elif previous and not bullet and _goes_on(previous, bare, joiners):
            joined[-1] += " " + bare
        else:
            joined.append(bare)
        previous = bare
    return joined


def _goes_on(previous: str, line: str, joiners: frozenset[str]) -> bool:
    """Whether `previous` is wrapped into `line`."""
    if not previous.strip() or not line.strip() or previous[-1] in ".!?…":
        return False
    last = fold(previous.rsplit(maxsplit=1)[-1].strip(".,;:()"))
    return line[0].islower() or previous[-1] in ",(" or last in joiners or len(previous) >= _WRAPPED_FROM


def sentences(paragraph: str, abbreviations: frozenset[str], asides: frozenset[str]) -> Iterator[Sentence]:
    """The sentences of one paragraph.

    `abbreviations` are the words whose full stop ends nothing (single letters are initials), `asides` those whose
    commas part nothing (", please,").
    """
    words = _without_asides(words_of(paragraph), asides)
    begun = 0
    for index, word in enumerate(words):
        if (word.text in _ENDS_SENTENCE and _ends(words, index, abbreviations)) or index - begun >= _LONGEST_SENTENCE:
            if index > begun:
                yield Sentence(words[begun : index + 1], paragraph)
            begun = index + 1
    if begun < len(words):
        yield Sentence(words[begun:], paragraph)


def _without_asides(words: tuple[Word, ...], asides: frozenset[str]) -> tuple[Word, ...]:
    """The words without the commas of an aside: "prepare, please, a reply"."""
    dropped = {
        place
        for at in range(1, len(words) - 1)
        if words[at].folded in asides and words[at - 1].text == words[at + 1].text == ","
        for place in (at - 1, at + 1)
    }
    return tuple(word for at, word in enumerate(words) if at not in dropped) if dropped else words


def _ends(words: tuple[Word, ...], index: int, abbreviations: frozenset[str]) -> bool:
    """Whether the mark at `index` ends a sentence: not after an ordinal, an abbreviation or an initial."""
    word = words[index]
    if word.text != ".":
        return True
    if index + 1 < len(words) and words[index + 1].start == word.end and not words[index + 1].mark:
        return False
    before = words[index - 1] if index else None
    if before is None or before.end != word.start:
        return True
    if index + 1 == len(words):
        return True
    after = words[index + 1]
    if before.text[0].isdecimal():
        return after.capital and not month_numbers(after.text)
    return not (before.folded in abbreviations or (len(before.text) == 1 and before.capital))
