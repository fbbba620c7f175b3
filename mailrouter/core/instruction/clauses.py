"""The parts of a sentence: forms and cues, clauses, and where the words of one form end and those of the next begin.

Invariant: parting rests on marks, conjunctions and the phrases found alone; what a form amounts to is not asked here.
"""

from mailrouter.core.instruction.lexicon import ACTIONS, FORMS, Lexicon, Tag
from mailrouter.core.instruction.periods import date_from
from mailrouter.core.instruction.words import Sentence

BREAKS = frozenset(",;()–—")
_QUOTES = {"“": "”", "„": "“”", "«": "»", '"': '"', "”": "”", "‘": "’"}  # opening mark → closing ones
_LONGER = {"cues.negate": 2, "cues.open": 1}  # words that such a cue has more than, where it can hold a form
_GOVERNING = ("cues.question", "cues.negate")


class Parts:
    """One sentence in one language: its tags, which of them are cues and forms, and its clauses."""

    def __init__(self, sentence: Sentence, lexicon: Lexicon, tags: list[Tag]) -> None:
        self.sentence = sentence
        self.lexicon = lexicon
        self.folded = tuple(word.folded for word in sentence.words)
        self.tags = tags
        self.cues = self._cues()
        self.asked = any(tag.kind == "cues.ask" for tag in self.cues)
        self._quoted = _quoted(self.folded)

    def date_to_answer(self) -> tuple[int, int, str] | None:
        """A bare date right behind a thing to be done and at its clause's end ("vastata 31.03"); as `deadline_at`."""
        for tag in self.tags:
            if tag.action != "purposes" or tag.form == "told":
                continue
            end = date_from(self.sentence.words, tag.last) if tag.last < len(self.folded) else None
            if end and (end == len(self.folded) or self._parts(end) or self.folded[end] in ".!"):
                return tag.last, end, ""
        return None

    def _head_tags(self) -> list[Tag]:
        """Heads that do not overlap, the longer one first; "bare" only where a clause begins."""
        chosen: list[Tag] = []
        found = [tag for tag in self.tags if tag.action in ACTIONS and tag.form in FORMS]
        if any(tag.action == "responsible" for tag in found):
            found = [tag for tag in found if tag.action != "assign"]  # "vastutajaks määrata": the verb says no more
        for tag in sorted(
            found, key=lambda t: (t.first - t.last, t.first, t.form != "told", t.form != "bare", t.form == "after")
        ):
            if any(tag.first < other.last and other.first < tag.last for other in chosen) or self._within_negation(tag):
                continue
            if tag.form in ("bare", "direct") and tag.action != "responsible" and not self.begins_clause(tag):
                continue
            if (tag.form == "asked" and self._describes(tag)) or self._within_label(tag):
                continue
            chosen.append(tag)
        return sorted(chosen, key=lambda t: t.first)

    def describes(self, first: int, last: int) -> bool:
        """Whether words are a relative clause that orders nothing: "kiri, mille saime täna"."""
        if not self.lexicon.is_kind("names.relative", self.folded[first]):
            return False
        return not any(tag.action in ACTIONS and tag.form in FORMS and first <= tag.first < last for tag in self.tags)

    def within_form(self, cue: Tag) -> bool:
        """Whether a cue is part of a longer form ("with a request to comment")."""
        return any(
            tag.action in ACTIONS and tag.form in FORMS and tag.first < cue.first and cue.last <= tag.last
            for tag in self.tags
        )

    def _within_negation(self, tag: Tag) -> bool:
        """Whether a form is part of what takes an order back: "under no circumstances", "aga otsusta ise"."""
        return any(
            cue.first <= tag.first
            and tag.last <= cue.last
            and cue.last - cue.first > _LONGER.get(cue.kind, len(self.folded))
            for cue in self.cues
        )

    def _within_label(self, tag: Tag) -> bool:
        """Whether a form is part of a deadline's label: "tähtaeg vastamiseks"."""
        return any(
            other.kind == "periods.labels" and other.first < tag.first and tag.last <= other.last for other in self.tags
        )

    def _describes(self, tag: Tag) -> bool:
        """Whether a participle follows a place: "Deltasse lisatud kiri"."""
        return tag.last < len(self.folded) and self.lexicon.is_kind("names.descriptive", self.folded[tag.last])

    def begins_clause(self, tag: Tag) -> bool:
        """Whether only courtesy, adverbs and conjunctions stand between the clause's begin and the form."""
        at = tag.first
        if self.lexicon.is_kind("clauses.begin", self.folded[at]):
            return True  # "and reaches": the conjunction is part of the form
        while at > 0:
            word = self.folded[at - 1]
            if not word[:1].isalnum() or self.lexicon.is_kind("clauses.begin", word):
                return True
            if any(
                cue.kind in ("cues.ask", "cues.need", "cues.negate", "cues.negate_command", "cues.open")
                and cue.first < at <= cue.last
                for cue in self.cues
            ):
                return True
            if not self.lexicon.is_kind("clauses.adverb", word):
                return False
            at -= 1
        return True

    def _cues(self) -> list[Tag]:
        """Cues, where a longer one hides what lies within it ("kui vaja" hides the condition "kui")."""
        found = [tag for tag in self.tags if tag.action == "cues" and tag.kind != "cues.negate_after"]
        order = {"cues.open": 0, "cues.ask": 1, "cues.courtesy": 2}
        kept: list[Tag] = []
        for tag in sorted(found, key=lambda t: (t.first - t.last, order.get(t.kind, 3))):
            if not any(other.first <= tag.first and tag.last <= other.last for other in kept):
                kept.append(tag)
        return sorted(kept, key=lambda t: t.first)

    def _cut(self, left: Tag, right: Tag) -> int:
        """Where the words of one head end and those of the next begin."""
        if right.first > left.last and self.lexicon.is_kind("clauses.and", self.folded[right.first]):
            return right.first  # "and shared": the conjunction is part of the form
        between = range(left.last, right.first)
        marks = [
            at for at in between if self.folded[at] in BREAKS or self.lexicon.is_kind("clauses.and", self.folded[at])
        ]
        if not marks:
            # "palun vaata üle ja ütle kas registreerida": what governs the next form belongs to it.
            governing = [cue.first for cue in self.cues if cue.kind in _GOVERNING and cue.first in between]
            if governing:
                return governing[0]
            return right.first if left.action != "register" else left.last
        if left.action in ("forward", "send") and right.action == "purposes" and right.form == "noun":
            return right.first
        # Recipients come as a list: the last mark parts it from what follows.
        return marks[-1] if left.action in ("forward", "send", "purposes") else marks[0]

    def _broken(self, first: int, last: int, breaks: frozenset[str] = BREAKS) -> bool:
        """Whether a comma or "but" stands between two places."""
        return any(
            self.folded[at] in breaks or self.lexicon.is_kind("clauses.but", self.folded[at])
            for at in range(first, last)
        )

    def _nameable(self, at: int) -> bool:
        word = self.sentence.words[at]
        return word.capital or self.lexicon.is_kind("names.recipients", word.folded)

    def _part(self, tag: Tag, first: int, last: int) -> tuple[int, int]:
        """The words around a tag up to the next break or "and"."""
        begin, end = tag.first, tag.last
        while begin > first and not self._parts(begin - 1):
            begin -= 1
        while end < last and not self._parts(end):
            end += 1
        return begin, end

    def _parts(self, at: int) -> bool:
        word = self.folded[at]
        return word in BREAKS or self.lexicon.is_kind("clauses.and", word) or self.lexicon.is_kind("clauses.but", word)


def _quoted(folded: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Where quotation marks open and close within a sentence; a sentence wholly quoted is said by its author."""
    found: list[tuple[int, int]] = []
    begin: int | None = None
    for at, word in enumerate(folded):
        if begin is not None and word in _QUOTES[folded[begin]]:
            found.append((begin, at))
            begin = None
        elif begin is None and word in _QUOTES:
            begin = at
    return tuple((first, last) for first, last in found if first > 0)


def blocked(parts: Parts, taken: tuple[tuple[int, int], ...]) -> frozenset[int]:
    """Words that are no part of a name: forms, cues, deadlines."""
    ranges = [*taken]
    ranges += [(tag.first, tag.last) for tag in parts.cues]
    ranges += [(tag.first, tag.last) for tag in _said(parts.tags)]
    return frozenset(at for first, last in ranges for at in range(first, last))


def _said(tags: list[Tag]) -> list[Tag]:
    """Tags of forms; of an overlapping phrase with a gap only its first and last word."""
    said = []
    for tag in tags:
        if tag.action in ACTIONS and tag.form in FORMS:
            if tag.last - tag.first <= 2:
                said.append(tag)
            else:
                said += [Tag(tag.kind, tag.first, tag.first + 1), Tag(tag.kind, tag.last - 1, tag.last)]
    return said
