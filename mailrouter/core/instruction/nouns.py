"""Whom an order names: recipients and the responsible, in the form written.

Invariant: what is returned stands in the sentence word for word ("@author" for the one who writes); nothing is
declined here and nothing looked up.
"""

from collections.abc import Iterator
from itertools import pairwise

from mailrouter.core.instruction.clauses import blocked
from mailrouter.core.instruction.lexicon import Lexicon, Tag
from mailrouter.core.instruction.moods import Clauses, Head
from mailrouter.core.instruction.words import Sentence, Word
from mailrouter.core.people.declension import usual

AUTHOR = "@author"
_LONGEST_NAME = 8  # words
_RANGE = tuple[int, int]
_DASHES = ("-", "–", "—")
_BETWEEN = (",", ";", "/", "&", "+")


class Nouns:
    """Names in one sentence."""

    def __init__(self, clauses: Clauses, taken: tuple[_RANGE, ...] = ()) -> None:
        """`taken` are ranges that are no names: the deadline, a restriction."""
        self._sentence: Sentence = clauses.sentence
        self._lexicon: Lexicon = clauses.lexicon
        self._folded = clauses.folded
        self._blocked = blocked(clauses, taken)

    def recipients(self, head: Head) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Whom a forward order names: those that are ordered, and those that are taken out ("mitte Jaanile")."""
        named: list[str] = []
        out: list[str] = []
        for first, last in self._recipient_ranges(head):
            side = any(begin <= last - 1 < end for begin, end in head.open_chunks)
            (out if side else named).append(self._written(first, last))
        return tuple(dict.fromkeys(named)), tuple(dict.fromkeys(out))

    def alternative(self, head: Head) -> bool:
        """Whether "or" stands among the words of an order."""
        return any(self._lexicon.is_kind("clauses.or", self._folded[at]) for at in range(head.first, head.last))

    def responsible(self, head: Head) -> tuple[str, ...]:
        """Whom an order makes responsible: after the form, else before it; several if it names several."""
        people = self._capitalised if head.tag.form == "direct" else self._people
        after = [name for name in people(head.tag.last, head.last) if not self._replaced(name)]
        before = [name for name in self._capitalised(head.first, head.tag.first) if not self._replaced(name)]
        if after and any(
            self._lexicon.is_kind("names.pronouns", word) for word in self._folded[head.tag.last : after[0][0]]
        ):
            after = []  # "pane keegi teine, mina lähen puhkusele"
        if (
            head.tag.form == "after"
            and not before
            and head.tag.first > head.first
            and self._modifies(head.tag.first - 1)
        ):
            before = [(self._leftwards(head.tag.first - 1, head.first, []), head.tag.first)]  # "kantsleri nimele"
        if (
            before
            and after
            and any(self._lexicon.is_kind("names.also", self._folded[at]) for at in range(head.tag.last, after[0][0]))
        ):
            after = []  # "lisage Jaan vastutajaks ja Mari koopiasse"
        beside = bool(before) and before[-1][1] == head.tag.first and not (after and after[0][0] == head.tag.last)
        found = before or after if head.tag.form == "after" or beside else after or before
        if head.tag.form == "after" and "names-before" in self._lexicon.options:
            found = before  # "Toomase peale", but "peale Toomase" is anybody else
        found = [(a, b) for a, b in found if not any(begin <= a < end for begin, end in head.open_chunks)]
        if found and found[-1][1] <= head.tag.first:
            found = self._run([name for name in found if not self._parted(name, found[-1])])  # the nearest counts
        found = self._run(found)
        if head.tag.form == "after":
            found = found[-1:]
        if not found and any(self._mine(self._folded[at]) or self._speaks(at) for at in _words(head.tag)):
            return (AUTHOR,)  # "in my name", "olen ka vastutaja"
        return tuple(dict.fromkeys(self._written(first, last) for first, last in found))

    def other_thing(self, head: Head) -> bool:
        """Whether something else than the letter is to be sent: "saada mulle viit"."""
        words = [self._folded[at] for at in range(head.first, head.last)]
        letter = any(self._lexicon.is_kind("names.letter", word) for word in words)
        return not letter and any(self._lexicon.is_kind("names.other_things", word) for word in words)

    def pronoun(self, head: Head) -> bool:
        """Whether an order is for "him" or "them", which does not say whom."""
        return any(self._lexicon.is_kind("names.pronouns", self._folded[at]) for at in range(head.first, head.last))

    def _replaced(self, name: _RANGE) -> bool:
        """Whether somebody else takes a name's place ("Jaan Kuke asemel Mari Tamm", "from Mari Tamm to Jaan Kukk")."""
        if name[0] and self._lexicon.is_kind("names.sources", self._folded[name[0] - 1]):
            return True
        return name[1] < len(self._folded) and self._lexicon.is_kind("names.replaced", self._folded[name[1]])

    def _parted(self, name: _RANGE, last: _RANGE) -> bool:
        """Whether more than a list's marks stands between a name and the last one before a form ("Jaan is out, so Mari")."""
        between = range(name[1], last[0])
        return any(not self._sentence.words[at].mark and not self._in_list(at) for at in between)

    def _in_list(self, at: int) -> bool:
        word = self._sentence.words[at]
        return word.capital or any(
            self._lexicon.is_kind(kind, word.folded) for kind in ("names.also", "clauses.or", "names.articles")
        )

    def _run(self, found: list[_RANGE]) -> list[_RANGE]:
        """The names up to the first that is no item of their list ("kaastäitja Peeter Kask")."""
        for index, (left, right) in enumerate(pairwise(found)):
            between = range(left[1], right[0])
            joined = any(
                self._lexicon.is_kind(kind, self._folded[at]) for at in between for kind in ("names.also", "clauses.or")
            )
            if not {"(", ")", ":"}.isdisjoint(self._folded[left[1] : right[0]]):
                return found[: index + 1]
            if not joined and any(not self._sentence.words[at].mark for at in between):
                return found[: index + 1]
        return found

    def _recipient_ranges(self, head: Head) -> list[_RANGE]:
        """Recipients by their ending; after a preposition; by their capital after a colon or where the language says."""
        if head.tag.form == "after":
            return self._subjects(head)
        if head.tag.form == "direct" and (
            found := list(self._capitalised(head.tag.first, head.last)) or list(self._people(head.tag.last, head.last))
        ):
            return found
        found = list(self._by_ending(head))
        if not found and any(self._lexicon.is_kind("names.sharing", self._folded[at]) for at in _words(head.tag)):
            found = list(self._by_ending(head, "names.companions"))
        if not found:
            found = list(self._after_preposition(head)) or list(self._indirect(head))
        found = found or list(self._possessor(head))
        if self._lexicon.is_kind("names.agents", self._folded[head.tag.last - 1]):
            found = list(self._listed(head.tag.last, head.last)) or found  # "for signature by the Minister"
        tag = head.tag
        colon = self._folded[tag.last - 1] == ":" or ":" in self._folded[tag.last : tag.last + 1]
        plain = "plain-recipients" in self._lexicon.options
        if not found and (colon or plain):
            found = list(self._people(tag.last, head.last))
        dashed = tag.first > 0 and self._folded[tag.first - 1] in _DASHES
        if not found and (plain or dashed or ":" in self._folded[: head.first]):
            # "Suunata: Mari Tamm (täitmiseks), Jaan Kukk (teadmiseks)"
            names = self._people if plain and head.what != "purposes" else self._capitalised
            found = list(names(head.first, tag.first)) or list(names(tag.last, head.last))
        if not found and head.what == "forward" and not self.pronoun(head):
            # "suunata Kukk J., Kask P.": no ending, but usual names
            found = [name for name in self._capitalised(tag.last, head.last) if self._usual(name)]
        return found

    def _subjects(self, head: Head) -> list[_RANGE]:
        """Who stands before the form: usual names and posts ("Priit ja Anneli võiksid selle kätte saada")."""
        found: list[_RANGE] = []
        at = head.tag.first
        while at > head.first:
            word = self._folded[at - 1]
            if word in _BETWEEN or self._lexicon.is_kind("names.also", word) or self._skips(at - 1):
                at -= 1
                continue
            first = at - 1
            while first > head.first and self._modifies(first - 1) and not self._skips(first - 1):
                first -= 1
            if not (self._usual((first, at)) or self._lexicon.is_kind("names.posts", word) or "@" in word):
                break
            found.insert(0, (first, at))
            at = first
        return found

    def _skips(self, at: int) -> bool:
        """Whether a word before a form belongs to the form rather than to a name: an article, "palun"."""
        return self._lexicon.is_kind("names.articles", self._folded[at])

    def _usual(self, name: _RANGE) -> bool:
        return any(usual(word.text) for word in self._sentence.words[name[0] : name[1]])

    def _by_ending(self, head: Head, kind: str = "names.recipients") -> Iterator[_RANGE]:
        """Noun phrases whose last word has a recipient's ending ("ministri nõunikele")."""
        ends = [at for at in range(head.first, head.last) if self._is_recipient(at, head.last, kind)]
        ends = [at for at in ends if not (at + 1 in ends and self._one_name(at))]
        ranges = [
            (at if self._is_author(self._folded[at]) else self._leftwards(at, head.first, ends), at + 1) for at in ends
        ]
        for index, (first, last) in enumerate(ranges):
            following = ranges[index + 1] if index + 1 < len(ranges) else None
            # "juhatajale Mari Tammele": the post stands in apposition, the name counts.
            if following and following[0] == last and not self._capital_in(first, last):
                if not self._sentence.words[following[1] - 1].capital:
                    ranges[index + 1] = (first, following[1])  # an adjective in the same case
                continue
            if not self._vague(first, last):
                yield first, last

    def _vague(self, first: int, last: int) -> bool:
        """Whether a noun phrase tells nobody: a common noun alone or with an adjective ("õigele inimesele")."""
        if not self._lexicon.is_kind("names.vague", self._folded[last - 1]) or self._capital_in(first, last):
            return False
        return all(self._lexicon.is_kind("names.recipients", self._folded[at]) for at in range(first, last))

    def _explains(self, at: int) -> bool:
        return "@" not in self._sentence.words[at].text and (self._modifies(at) or self._nameable(at))

    def _is_recipient(self, at: int, last: int, kind: str) -> bool:
        word = self._folded[at]
        if at in self._blocked and not self._is_author(word):
            return False
        if not self._lexicon.is_kind(kind, word) or self._unnameable(word):
            return False
        return not any(
            self._lexicon.is_kind("names.descriptive", self._folded[after])
            for after in range(at + 1, min(at + 3, last))
            if not any(mark in self._folded[at + 1 : after] for mark in (",", "ja", "ning", "and"))
        )

    def _unnameable(self, word: str) -> bool:
        return self._lexicon.is_kind("names.not", word) and not self._lexicon.is_kind("names.bodies", word)

    def _leftwards(self, at: int, first: int, ends: list[int]) -> int:
        """Where the noun phrase that ends with word `at` begins."""
        begin = at
        while begin > first and at - begin < _LONGEST_NAME:
            before = begin - 1
            word = self._folded[before]
            if before in self._blocked or (before in ends and not self._one_name(before)):
                break
            if self._lexicon.is_kind("names.also", word):
                inside = before - 1 >= first and before - 1 not in ends and self._modifies(before - 1)
                if not inside or word in _BETWEEN:
                    break
            elif not self._modifies(before):
                break
            begin = before
        return begin

    def _one_name(self, at: int) -> bool:
        """Whether a word and the next are parts of one name ("Kalle Saarepuule", though Kalle ends like a recipient)."""
        words = self._sentence.words
        return words[at].capital and words[at + 1].capital

    def _modifies(self, at: int) -> bool:
        """Whether a word can stand in a noun phrase before its last word."""
        word = self._sentence.words[at]
        if (
            word.mark
            or at in self._blocked
            or word.text[:1].isdigit()
            or self._lexicon.is_kind("names.not", word.folded)
        ):
            return False
        if word.capital:
            return True
        verb = self._lexicon.is_kind("names.verbs", word.folded)  # "anna" gives, "Anna" is a name
        return not verb and self._lexicon.is_kind("names.modifiers", word.folded)

    def _after_preposition(self, head: Head) -> Iterator[_RANGE]:
        """Noun phrases after "to", in a list ("to Mari Tamm, Jaan Kask and the advisers")."""
        for at in range(head.first, head.last):
            if not self._lexicon.is_kind("names.prepositions", self._folded[at]):
                continue
            if at > head.tag.last and self._lexicon.is_kind("names.agents", self._folded[head.tag.last - 1]):
                continue
            begin = at + 1
            if begin < head.last and self._folded[begin] == ":":
                begin += 1
            yield from self._listed(begin, head.last)

    def _possessor(self, head: Head) -> Iterator[_RANGE]:
        """Whose purpose it is: "for the minister's signature"."""
        begin = head.tag.first + 1
        for at in range(begin, head.tag.last - 1):
            if self._lexicon.is_kind("names.possessive", self._folded[at]):
                yield begin, at + 1

    def _indirect(self, head: Head) -> Iterator[_RANGE]:
        """A name right behind the form and before what is sent: "send Mari Tamm a copy", "send me a copy"."""
        begin = head.tag.last
        for first, last in self._capitalised(begin, min(begin + 4, head.last)):
            things = self._folded[last : min(last + 2, head.last)]
            if first == begin and any(self._lexicon.is_kind("names.things", word) for word in things):
                yield first, last

    def _listed(self, begin: int, last: int) -> Iterator[_RANGE]:
        """The noun phrases of a list that begins at `begin`, up to the first word that is no name."""
        at = begin
        first: int | None = None
        while at <= last:
            word = self._folded[at] if at < last else ""
            if word == "(" and first is not None and (behind := self._closed(at)):
                yield first, at  # "to Mari Tamm (action) and Jaan Kukk (info)"
                first, at = None, behind
                continue
            inside = at < last and self._lexicon.is_kind("names.also", word) and self._within(first, at, last)
            joins = not inside and (word in _BETWEEN or self._lexicon.is_kind("names.also", word))
            stops = at == last or not (inside or joins or self._nameable(at))
            if joins or stops:
                if first is not None and first < at:
                    yield first, at
                first = None
                if stops and not self._lexicon.is_kind("names.articles", word):
                    return
            elif first is None:
                first = at
            at += 1

    def _within(self, first: int | None, at: int, last: int) -> bool:
        """Whether "and" at `at` lies inside a unit's name ("European Affairs and Foreign Relations Department")."""
        if first is None:
            return False
        for after in range(at + 1, min(at + 7, last)):
            if not self._nameable(after) or self._lexicon.is_kind("names.also", self._folded[after]):
                return False
            if self._lexicon.is_kind("names.units", self._folded[after]):
                return not any(self._lexicon.is_kind("names.units", self._folded[x]) for x in range(first, at))
        return False

    def _nameable(self, at: int) -> bool:
        word = self._sentence.words[at]
        if word.text.startswith("@") or at in self._blocked:
            return self._lexicon.is_kind("names.author", word.folded)
        return not word.mark and not word.text[:1].isdigit() and not self._lexicon.is_kind("names.not", word.folded)

    def _people(self, begin: int, last: int) -> Iterator[_RANGE]:
        """Capitalised names and words for the author; if there are none, the first words that can be a post."""
        found = list(self._capitalised(begin, last))
        if found:
            yield from found
            return
        for at in range(begin, last):
            if self._nameable(at) and not self._lexicon.is_kind("names.also", self._folded[at]):
                end = at + 1
                while (
                    end < min(last, at + 4)
                    and self._nameable(end)
                    and not self._lexicon.is_kind("names.also", self._folded[end])
                ):
                    end += 1
                yield at, end
                return

    def _capitalised(self, begin: int, last: int) -> Iterator[_RANGE]:
        at = begin
        while at < last:
            word = self._sentence.words[at]
            if self._is_author(word.folded) or self._lexicon.is_kind("names.owner", word.folded):
                yield at, at + 1
            elif ("@" in word.text) or (word.capital and self._nameable(at)):
                end = at + 1
                while end < last and "@" not in word.text and (self._goes_on(end) or self._initial(end)):
                    end += 1
                if at or end > 1 or self._may_begin(word):
                    yield at, end
                at = end
                continue
            at += 1

    def _may_begin(self, word: Word) -> bool:
        """Whether the first word of a sentence, which any word's capital may be, is a name."""
        labels = self._folded[1:2] and self._folded[1] in (":", "-", "–")
        return "@" in word.text or bool(labels) or usual(word.text)

    def _goes_on(self, at: int) -> bool:
        return self._sentence.words[at].capital and self._nameable(at)

    def _initial(self, at: int) -> bool:
        """Whether the word is the full stop of an initial within a name ("K. Budrik")."""
        words = self._sentence.words
        stop = words[at].text == "." and len(words[at - 1].text) == 1
        return stop and at + 1 < len(words) and self._goes_on(at + 1)

    def _mine(self, word: str) -> bool:
        return self._is_author(word) or self._lexicon.is_kind("names.owner", word)

    def _speaks(self, at: int) -> bool:
        return self._lexicon.is_kind("names.speaker", self._folded[at])

    def _is_author(self, word: str) -> bool:
        return self._lexicon.is_kind("names.author", word)

    def _capital_in(self, first: int, last: int) -> bool:
        return any(self._sentence.words[at].capital for at in range(max(first, 1), last))

    def _written(self, first: int, last: int) -> str:
        while last - first > 1 and self._lexicon.is_kind("names.articles", self._folded[first]):
            first += 1
        word = self._folded[first]
        if last - first == 1 and (self._is_author(word) or self._lexicon.is_kind("names.owner", word)):
            return AUTHOR
        return self._sentence.printed(first, self._explained(last))

    def _explained(self, last: int) -> int:
        """Past the parentheses right behind a name that say it again ("the working group (merekeskkonna töörühm)")."""
        if last >= len(self._folded) or self._folded[last] != "(":
            return last
        end = self._closed(last)
        inside = range(last + 1, end - 1)
        return end if inside and all(self._explains(at) for at in inside) else last

    def _closed(self, at: int) -> int:
        """Past the end of the short parentheses that open at a place; 0 if they do not close soon."""
        return next((x + 1 for x in range(at + 1, min(at + 7, len(self._folded))) if self._folded[x] == ")"), 0)


def _words(tag: Tag) -> range:
    return range(tag.first, tag.last)
