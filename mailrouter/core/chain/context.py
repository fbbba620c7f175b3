"""What every step of reading one text needs: the lines, the vocabulary, the subject of the mail that holds them.

Invariant: each line is looked at as a field once, however many blocks are tried on it.
"""

import re
from dataclasses import dataclass, field

from mailrouter.core.chain.fields import Field, read_field
from mailrouter.core.chain.lines import Line
from mailrouter.core.markers import Vocabulary, fold

_DIGIT = re.compile(r"\d")
_RULE = re.compile(r"[\s>]*([-_=*~–—#+.])(?:\s?\1){4,}\s*$")
# "-----Original Message-----", "---------- Forwarded message ---------", "___ Upprunalegt bréf ___:"
_TITLED = re.compile(r"\s*(?:[-_=*~–—#+>]\s?){2,}\s*(?=\S)([^-_=*~–—#+].{1,90}?)\s*(?:[-_=*~–—#+<]\s?){2,}:?\s*$")
_SCISSORS = re.compile(r"={2,}8<={3,}.{0,60}={3,}$")  # The Bat! encloses a forwarded text in two such lines


@dataclass(slots=True)
class Context:
    """One text being read. `subjects` are those of the mail around it and of the hops found so far, newest first."""

    lines: list[Line]
    vocabulary: Vocabulary
    subjects: list[str]
    blanks: list[bool] = field(init=False)  # by line: nothing to read
    _fields: dict[int, Field | None] = field(default_factory=dict)
    _known: dict[str, Field | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.blanks = [not line.text or line.text.isspace() for line in self.lines]

    def field(self, index: int) -> Field | None:
        """Line `index` as a header field, None if it has no such shape."""
        if index not in self._fields:
            text = self.lines[index].text
            if text not in self._known:
                self._known[text] = read_field(text, self.vocabulary)
            self._fields[index] = self._known[text]
        return self._fields[index]

    def figure(self, index: int) -> bool:
        """Whether line `index` holds a figure, as every date does."""
        return _DIGIT.search(self.lines[index].text) is not None

    def blank(self, index: int) -> bool:
        """Whether line `index` has nothing to read."""
        return self.blanks[index]

    def next_text(self, index: int, reach: int = 4) -> int | None:
        """The first line from `index` on that is not blank, at most `reach` lines away."""
        for at in range(index, min(index + reach, len(self.lines))):
            if not self.blanks[at]:
                return at
        return None

    def separates(self, index: int, *, deeper: bool = False) -> bool:
        """Whether line `index` is what programs put above a header block; `deeper`: the block is quoted deeper."""
        text = self.lines[index].text.strip()
        if not text or len(text) > 130:
            return False
        if _RULE.match(text) or _TITLED.match(text) or self.wraps_title(index):
            return True
        bare = fold(text.strip("-_=*~–—#+<> :"))
        if bare in self.vocabulary.separators or bare in self.vocabulary.ends:
            return True
        return deeper and text.endswith((":", "：")) and len(text.split()) <= 6

    def rules(self, index: int) -> bool:
        """Whether line `index` is a bare rule."""
        return _RULE.match(self.lines[index].text) is not None

    def wraps_title(self, index: int) -> bool:
        """Whether line `index` is the second half of a separator: "----- Forwarded by A on 1 May" / "10:00 -----"."""
        text = self.lines[index].text.strip()
        if index == 0 or not text.endswith("--") or text.startswith("--"):
            return False
        above = self.lines[index - 1].text.strip()
        return above.startswith("--") and not above.endswith("--") and _TITLED.match(f"{above} {text}") is not None

    def scissors(self, index: int) -> bool:
        """Whether line `index` is one of the two that enclose a forwarded text."""
        return _SCISSORS.match(self.lines[index].text) is not None

    def ends(self, index: int) -> bool:
        """Whether line `index` says that a forwarded message ends ("----- End forwarded message -----")."""
        text = self.lines[index].text.strip()
        if not text or len(text) > 130 or text[0] not in "-_=*~–—":
            return False
        if _SCISSORS.match(text):
            return True
        match = _TITLED.match(text)
        if match is None:
            return False
        title = fold(match[1])
        return title in self.vocabulary.ends or title.startswith(("end of ", "end forwarded"))
