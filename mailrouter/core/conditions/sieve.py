"""Which rules can match at all: conditions that many rules ask of one path, looked up together instead of rule by rule.

Invariant: a rule that the sieve drops does not match; one that it keeps matches if what is left to ask of it holds. Rules
are bits of a number, the first rule the lowest.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mailrouter.core.conditions.interface import Facts, Lookup
from mailrouter.core.conditions.tree import All, Leaf, Node, conjuncts, hurried, looked_up
from mailrouter.core.paths import Path

# From how many rules on one look-up is sooner done than asking each: it costs about as much as two conditions.
_WORTH = 3


@dataclass(frozen=True, slots=True)
class Want:
    """A condition of one rule that can be looked up: the rule's bit, the part of its tree that it answers."""

    rule: int
    part: Node
    leaf: Leaf
    lookup: Lookup


@dataclass(frozen=True, slots=True)
class Mesh:
    """What rules want of one path in one way. `meets` and `refused` have the rules by the key that they are about."""

    name: str
    path: Path
    keys: Callable[[Sequence[Any], Facts], Iterable[Hashable]]
    meets: Mapping[Hashable, int]
    refused: Mapping[Hashable, int]
    concerned: int  # every rule that it can drop
    unasking: int  # every rule that wants no key
    within: bool  # whether the keys of the case are texts in which those of the rules are sought
    without: int = 0  # what is kept where the path gives nothing
    known: Mapping[Any, int] = field(default_factory=dict)  # and by what it gives, where that is a flag or a choice

    def kept(self, facts: Facts) -> int:
        """The rules that may match, as far as this path tells."""
        views = facts.views
        if self.path.letter and len(views) > 1:
            return self._kept_by_several(facts)
        keys = facts.keys.get(self.name)
        if keys is None:
            values = self.path.get(views[0])
            if not values:
                return self.without
            keys = facts.keys[self.name] = self.keys(values, facts)
        return self.kept_of(keys, refusing=True)

    def _kept_by_several(self, facts: Facts) -> int:
        """Of several letters: what one does not give, another may, and what one refuses, another may not."""
        keys = facts.keys.get(self.name)
        if keys is None:
            keys = facts.keys[self.name] = {
                key for view in facts.views for key in self.keys(self.path.get(view), facts)
            }
        return self.kept_of(keys, refusing=False)

    def kept_of(self, keys: Iterable[Any], *, refusing: bool) -> int:
        """The rules that may match a case with these keys; `refusing`: what refuses one of them is left out."""
        kept = self.unasking
        for key in self._found(self.meets, keys) if self.within else keys:
            kept |= self.meets.get(key, 0)
        if refusing and self.refused:
            for key in self._found(self.refused, keys) if self.within else keys:
                kept &= ~self.refused.get(key, 0)
        return kept

    def _found(self, table: Mapping[Any, int], texts: Iterable[str]) -> list[str]:
        return [words for text in texts for words in table if words in text]


@dataclass(frozen=True, slots=True)
class Sieve:
    """The rules of a set, by what they want of a case; `meshes` with those that most rules ask first."""

    rules: int
    meshes: tuple[Mesh, ...]
    left: Mapping[int, Node]  # by a rule's place: what is to be asked of it when it is kept, cheap conditions first
    left_of_one: Mapping[int, Node]  # the same where there is one letter at most

    def kept(self, facts: Facts) -> Iterator[int]:
        """The places of the rules that may match, in order."""
        left, view = self.rules, facts.views[0]
        for mesh in self.meshes:
            if left & mesh.concerned:
                kept = mesh.known.get(mesh.path.get(view)) if mesh.known else None
                left &= mesh.kept(facts) if kept is None else kept
        while left:
            lowest = left & -left
            yield lowest.bit_length() - 1
            left ^= lowest


def sieve(rules: Mapping[int, Node]) -> Sieve:
    """The sieve of these rules' conditions, by the rules' places."""
    every = sum(1 << place for place in rules)
    meshes = []
    answered: dict[int, list[Node]] = {place: [] for place in rules}
    of_letter: dict[int, list[Node]] = {place: [] for place in rules}
    for name, wants in _by_way(rules).items():
        if len(wants) < _WORTH:
            continue
        meshes.append(_mesh(name, wants, every))
        for want in wants:
            if want.lookup.exact:  # of several letters, one must meet all that is said about `letter`
                (of_letter if want.leaf.path.letter else answered)[want.rule.bit_length() - 1].append(want.part)
    meshes.sort(key=lambda mesh: -mesh.concerned.bit_count())
    left = {place: _left(node, answered[place]) for place, node in rules.items()}
    left_of_one = {
        place: _left(node, answered[place] + of_letter[place]) if of_letter[place] else left[place]
        for place, node in rules.items()
    }
    return Sieve(every, tuple(meshes), left, left_of_one)


def _by_way(rules: Mapping[int, Node]) -> Mapping[str, Sequence[Want]]:
    """What can be looked up, by path and way."""
    found: dict[str, list[Want]] = {}
    for place, node in rules.items():
        for part in conjuncts(node):
            leaf, lookup = looked_up(part)
            if leaf is None or lookup is None:
                continue
            wants = found.setdefault(f"{leaf.path.text} {lookup.way}", [])
            again = wants and wants[-1].rule == 1 << place
            if not again:  # two wants of one way would be met by either
                wants.append(Want(1 << place, part, leaf, lookup))
    return found


def _mesh(name: str, wants: Sequence[Want], every: int) -> Mesh:
    meets: dict[Hashable, int] = {}
    refused: dict[Hashable, int] = {}
    concerned, asking = 0, 0
    for want in wants:
        concerned |= want.rule
        asking |= 0 if want.lookup.refuses else want.rule
        table = refused if want.lookup.refuses else meets
        for key in want.lookup.wanted:
            table[key] = table.get(key, 0) | want.rule
    path, lookup = wants[0].leaf.path, wants[0].lookup
    mesh = Mesh(name, path, lookup.keys, meets, refused, concerned, every & ~asking, lookup.within)
    facts = Facts.of_no_case()  # what asks for nothing, a flag or a choice asks for nothing else
    known = {few: mesh.kept_of(lookup.keys(few, facts), refusing=True) for few in ((), *path.few)}
    return replace(mesh, without=known[()], known=known if path.few else {})


def _left(node: Node, answered: Sequence[Node]) -> Node:
    parts = [part for part in conjuncts(node) if not any(part is other for other in answered)]
    return hurried(parts[0] if len(parts) == 1 else All(tuple(parts), sum(part.cost for part in parts)))
