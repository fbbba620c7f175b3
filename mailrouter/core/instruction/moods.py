"""Is a form an order? What stands around it decides: "palun", "võib", "kui vaja", "ei", "nad paluvad", "kas".

Owns heads (the forms of things that can be ordered) and their moods. Invariant: a form without a cue is an order only
where its language says so, and what is not clearly ordered is not carried out.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from mailrouter.core.instruction.clauses import BREAKS, Parts
from mailrouter.core.instruction.lexicon import Tag

_PAUSES = BREAKS | {":", "-"}  # they end what a negation before them governs


class Mood(Enum):
    """What a form amounts to."""

    ORDERED = "ordered"
    PERMITTED = "permitted"  # counts beside an order
    NEGATED = "negated"
    OPEN = "open"  # left to the reader: orders nothing
    CONDITIONAL = "conditional"  # depends on what we cannot know
    TOLD = "told"  # somebody else's wish, a question, a report


@dataclass(frozen=True, slots=True)
class Head:
    """A form found: its tag, the words first..last-1 that it may draw on, and its mood."""

    tag: Tag
    first: int
    last: int
    mood: Mood
    asked: bool = False  # a cue of request stands with it
    open_chunks: tuple[tuple[int, int], ...] = ()  # parts of its words that are open or negated on their own

    @property
    def what(self) -> str:
        """The action, or "purposes"."""
        return self.tag.action


class Clauses(Parts):
    """One sentence in one language: tags, cuts between heads, and moods."""

    def heads(self) -> list[Head]:
        """The heads in order, each with its scope and mood."""
        tags = self._head_tags()
        heads = self._scoped(tags)
        idle = {head.tag for head in heads if head.tag.form == "asked" and head.mood is Mood.TOLD}
        # A noun or place that nobody asks for is no head: the words around it belong together.
        return self._scoped([tag for tag in tags if tag not in idle]) if idle else heads

    def _scoped(self, tags: list[Tag]) -> list[Head]:
        cuts = [0, *(self._cut(left, right) for left, right in pairwise(tags)), len(self.folded)]
        heads: list[Head] = []
        for tag, first, last in zip(tags, cuts, cuts[1:], strict=False):
            heads.append(self._head(tag, first, last, heads[-1] if heads else None))
        return heads

    def _head(self, tag: Tag, first: int, last: int, before: Head | None) -> Head:
        if tag.form == "told" or self._cited(tag):
            return Head(tag, first, last, Mood.TOLD)
        mood, asked = self._mood(tag, first, last, before)
        if mood is Mood.NEGATED and (instead := self._instead(tag, last)):
            return Head(tag, first, last, Mood.ORDERED, asked, ((first, instead),))
        if mood in (Mood.ORDERED, Mood.PERMITTED):
            side = self._sides(tag, first, last)
            if any(begin <= tag.first < end for begin, end in side):
                mood = Mood.OPEN
            elif self._conditional(tag, first, last) or (before is not None and self._hangs_on(before, tag)):
                mood = Mood.CONDITIONAL if mood is Mood.ORDERED else Mood.OPEN
            begin = self._from_request(tag, first) if tag.action in ("forward", "send") else first
            return Head(tag, begin, last, mood, asked, side)
        return Head(tag, first, last, mood, asked)

    def _cited(self, tag: Tag) -> bool:
        """Whether a form is somebody else's words: within quotation marks, or right behind "Mari ütles, et"."""
        if any(first < tag.first and tag.last <= last for first, last in self._quoted):
            return True
        return any(
            cue.kind == "cues.says" and cue.last <= tag.first and not self._broken(cue.last, tag.first)
            for cue in self.tags
        )

    def _from_request(self, tag: Tag, first: int) -> int:
        """Where the clause of a request begins: "kutse ministrile, palun suunata …" names no recipient before it."""
        asked = [cue.first for cue in self.cues if cue.kind == "cues.ask" and first <= cue.first < tag.first]
        breaks = [at for at in range(first, asked[-1]) if self.folded[at] in BREAKS] if asked else []
        return breaks[-1] if breaks else first

    def _instead(self, tag: Tag, last: int) -> int | None:
        """Where "vaid" stands in a refused order to somebody: what follows it is ordered ("mitte Marile, vaid Jaanile")."""
        if tag.action not in ("forward", "send", "responsible"):
            return None
        return next((at for at in range(tag.last, last) if self._begins_instead(at)), None)

    def _begins_instead(self, at: int) -> bool:
        word = self.folded[at]
        if self.lexicon.is_kind("clauses.instead", word):
            return True
        only = self.folded[at - 1] in BREAKS and self.lexicon.is_kind("clauses.only", word)
        names = at + 1 < len(self.folded) and (
            self._nameable(at + 1) or self.lexicon.is_kind("names.prepositions", self.folded[at + 1])
        )
        return only and names

    def _mood(self, tag: Tag, first: int, last: int, before: Head | None) -> tuple[Mood, bool]:
        """The mood by the nearest cue before the form, then by what follows it, then by the head before."""
        if self._negated(tag, first, last):
            return Mood.NEGATED, True
        cue = self._nearest(tag, first, last if tag.action == "responsible" else tag.first)
        kind = cue.kind if cue else ""
        asked = kind in ("cues.ask", "cues.need")
        if kind == "cues.question" and self._please(tag):
            kind, asked = "cues.ask", True
        questioned = self.sentence.asks_back or kind == "cues.question"
        reported = kind == "cues.question" or (
            kind == "cues.told" and (tag.form not in ("order", "noun") or tag.action == "responsible")
        )
        reported = reported or (kind in ("cues.need", "cues.permit") and self._doubted(cue, first))
        if reported or (questioned and kind != "cues.ask" and not self.asked):
            return Mood.TOLD, False
        if kind == "cues.permit":
            return Mood.PERMITTED, False
        if not kind and (carried := self._carried(tag, first, before) or self._shared(tag, before)):
            return carried
        if not asked and self._needs_ask(tag, before):
            return Mood.TOLD, False
        return Mood.ORDERED, asked

    def _please(self, tag: Tag) -> bool:
        """Whether "please" stands behind a form in its own part: "kas registreerite selle palun ära?" is a request."""
        return any(
            cue.kind == "cues.ask" and tag.last <= cue.first and not self._broken(tag.last, cue.first)
            for cue in self.cues
        )

    def _shared(self, tag: Tag, before: Head | None) -> tuple[Mood, bool] | None:
        """The mood of the head before, where what hangs on it follows: "võib registreerida minu nimele"."""
        if before is None or before.tag.form == "told" or before.mood in (Mood.ORDERED, Mood.CONDITIONAL):
            return None
        hangs = tag.action == "responsible" or tag.form == "noun"
        return (before.mood, False) if hangs and not self._broken(before.tag.last, tag.first) else None

    def _needs_ask(self, tag: Tag, before: Head | None) -> bool:
        """Whether a form without "please" is no order: by its kind, or after a report ("registreeritud, vastutaja …")."""
        if tag.action == "responsible":
            told = before is not None and (before.tag.form == "told" or before.mood is Mood.TOLD)
            return told and before is not None and before.what != "purposes"
        if tag.form == "verb" and self.asked and self.begins_clause(tag):
            return False  # "Reply by Friday, please"
        return tag.form == "asked" or (tag.form in ("wish", "verb") and "wish-needs-ask" in self.lexicon.options)

    def _doubted(self, cue: Tag | None, first: int) -> bool:
        """Whether a question word stands before a cue in its part: "kas seda peab registreerima" orders nothing."""
        return cue is not None and any(
            other.kind == "cues.question"
            and first <= other.first < cue.first
            and not self._broken(other.last, cue.first)
            for other in self.cues
        )

    def _carried(self, tag: Tag, first: int, before: Head | None) -> tuple[Mood, bool] | None:
        """The mood of the head before, where a form is joined to it: "palun registreerida ja suunata"."""
        if before is None or tag.form not in ("wish", "asked", "verb", "bare", "direct") or not self._continues(first):
            return None
        if self.lexicon.is_kind("cues.carry", self.folded[first]):
            return Mood.NEGATED, False
        if before.mood is Mood.NEGATED and self.lexicon.is_kind("clauses.but", self.folded[first]):
            return None  # "vastata pole vaja, aga registreerida tuleb"
        bare = tag.form in ("bare", "verb") and "wish-needs-ask" in self.lexicon.options
        if before.tag.form == "told" and bare and not self._broken(before.tag.last, tag.first):
            return Mood.TOLD, False  # "she will register and answer it"
        if before.tag.form == "told" or before.mood is Mood.OPEN:
            return None
        return before.mood, before.asked

    def _continues(self, first: int) -> bool:
        """Whether the words from `first` on are joined to what stands before by "and"."""
        return first < len(self.folded) and (
            self.lexicon.is_kind("clauses.and", self.folded[first])
            or self.lexicon.is_kind("cues.carry", self.folded[first])
        )

    def _nearest(self, tag: Tag, first: int, last: int) -> Tag | None:
        """The cue of request, permission, report or question that is nearest to the form, before it if there is one."""
        kinds = ("cues.ask", "cues.need", "cues.permit", "cues.told", "cues.question")
        near = [
            cue
            for cue in self.cues
            if cue.kind in kinds and first <= cue.first and cue.last <= last and not (tag.first <= cue.first < tag.last)
        ]
        before = [cue for cue in near if cue.first <= tag.first]
        if before:
            return before[-1]
        # Behind a comma a question word begins a relative clause ("vastutajaks Jaan, kes on kursis"), and what may be
        # or was is something else.
        parting = ("cues.question", "cues.permit", "cues.told")
        near = [cue for cue in near if cue.kind not in parting or not self._broken(tag.last, cue.first)]
        return near[0] if near else self._permitted(tag)

    def _permitted(self, tag: Tag) -> Tag | None:
        """The permission right behind a form: "registreerida võib"."""
        return next((cue for cue in self.cues if cue.kind == "cues.permit" and cue.first == tag.last), None)

    def _negated(self, tag: Tag, first: int, last: int) -> bool:
        """Whether a negation governs the form: before it in the same part, or a set phrase right after it."""
        for cue in self.cues:
            if cue.kind != "cues.negate" and not (cue.kind == "cues.negate_command" and tag.form in ("bare", "order")):
                continue
            reaches = first <= cue.first or (
                cue.kind == "cues.negate" and not any(self._parts(at) for at in range(cue.last, tag.first))
            )
            if reaches and cue.first < tag.first and not self._broken(cue.last, tag.first, _PAUSES):
                return True
            if tag.first < cue.first < tag.last:
                return True  # within a phrase with a gap: "registreerimist ei vaja"
            follows = tag.action == "responsible" and tag.last <= cue.first < last
            if follows and not self._broken(tag.last, cue.first):
                return True
        return any(
            other.kind == "cues.negate_after"
            and tag.last <= other.first < last
            and not any(self._parts(at) for at in range(tag.last, other.first))
            for other in self.tags
        )

    def _sides(self, tag: Tag, first: int, last: int) -> tuple[tuple[int, int], ...]:
        """Parts of a scope that are open or negated on their own ("ja vajadusel Jaanile"); the head's own part too."""
        parts: list[tuple[int, int]] = []
        for cue in self.cues:
            if cue.kind not in ("cues.open", "cues.negate") or not first <= cue.first < last:
                continue
            begin, end = self._part(cue, first, last)
            if cue.kind == "cues.negate":
                if not begin <= tag.first < end:
                    parts.append((begin if cue.first < tag.first else cue.first, end))
                continue
            own = self._part(tag, first, last)
            if (begin, end) != own and begin > tag.last and any(self._nameable(at) for at in range(cue.last, end)):
                parts.append((begin, end))
            else:
                parts.append((first, last))
        return tuple(parts)

    def _hangs_on(self, before: Head, tag: Tag) -> bool:
        """Whether a form stands behind an if-clause with a form of its own ("kui nad arvamust ootavad, siis …")."""
        return any(
            cue.kind == "cues.condition"
            and before.first <= cue.first < before.tag.first
            and (cue.first == 0 or self._parts(cue.first - 1))
            and not self._broken(cue.last, before.tag.first)
            and self._broken(before.tag.last, tag.first)
            for cue in self.cues
        )

    def _conditional(self, tag: Tag, first: int, last: int) -> bool:
        """Whether a condition governs a form: in its scope at a clause's begin, or where the language allows, behind it."""
        conditions = [cue.first for cue in self.cues if cue.kind == "cues.condition"]
        if "late-conditions" in self.lexicon.options:
            return any(
                first <= at < last or (tag.last <= at and not any(self._parts(x) for x in range(tag.last, at)))
                for at in conditions
            )
        return any(first <= at < last and (at == first or self._parts(at - 1) or at == 0) for at in conditions)
