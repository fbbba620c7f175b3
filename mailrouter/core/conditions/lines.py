"""What a trace tells of a rule's conditions, one line each; laid out when the rules are compiled.

Invariant: a line says of its condition what asking it would say; which lines a rule has depends on the rule alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailrouter.core.conditions.interface import ConditionTrace, Facts
from mailrouter.core.conditions.tree import All, AnyOf, Leaf, Node, Not, leaves
from mailrouter.core.paths import View
from mailrouter.core.shown import shown


@dataclass(frozen=True, slots=True)
class Line:
    """One condition as a trace tells it. Lines of one `key` say the same of the same case and letter."""

    label: str  # the path, with "not" and "any" before it
    leaf: Leaf
    denied: bool  # whether it is met when the condition does not hold
    needed: bool  # whether the rule holds only if it is met
    key: str
    known: Mapping[Any, ConditionTrace]  # made already, by what the path gives; {} where that may be anything

    def told(self, view: View, facts: Facts, *, met: bool) -> ConditionTrace:
        """The line of a case; `met`: the rule holds, so that what it needs is not asked again."""
        values = self.leaf.path.get(view)
        if self.known and (found := self.known.get(values)) is not None:
            return found
        holds = not self.denied if met and self.needed else self.leaf.holds(view, facts)
        return _made(self.label, self.leaf, values, facts, (holds, self.denied))


def told(lines: Sequence[Line], view: View, facts: Facts, *, met: bool) -> tuple[ConditionTrace, ...]:
    """The lines of a rule that holds (`met`) or does not; each is made once a case, or once a letter."""
    of_case, of_letter = facts.case.lines, facts.letter.lines
    conditions = []
    for line in lines:
        made = of_letter if line.leaf.path.letter else of_case
        found = made.get(line.key)
        if found is None:
            found = made[line.key] = line.told(view, facts, met=met)
        conditions.append(found)
    return tuple(conditions)


def _made(label: str, leaf: Leaf, values: Sequence[Any], facts: Facts, answer: tuple[bool, bool]) -> ConditionTrace:
    """The line of a condition that holds or not, and is denied or not."""
    holds, denied = answer
    words = leaf.words
    stretch = (lambda text: words(text, facts)) if words and holds else None
    return ConditionTrace(label, leaf.wanted, shown(values, leaf.path.many, stretch), holds is not denied)


@dataclass(frozen=True, slots=True)
class Layout:
    """Lays out the lines of many rules; equal ones are one object."""

    lines: dict[str, Line]

    def of(self, node: Node) -> tuple[Line, ...]:
        """The lines of a rule, in the order of its conditions."""
        return tuple(self._lines(node, "", denied=False, needed=True))

    def _lines(self, node: Node, before: str, *, denied: bool, needed: bool) -> list[Line]:
        match node:
            case Leaf():
                return [self._line(node, before, denied=denied, needed=needed)]
            case Not(part=part):
                alone = len(list(leaves(part))) == 1  # else each of them is told as it is
                return self._lines(part, f"{before}not ", denied=denied is not alone, needed=needed and alone)
            case All(parts=parts):
                return [line for part in parts for line in self._lines(part, before, denied=denied, needed=needed)]
            case AnyOf(parts=parts):
                needed = needed and len(parts) == 1
                before = f"{before}any: "
                return [line for part in parts for line in self._lines(part, before, denied=denied, needed=needed)]

    def _line(self, leaf: Leaf, before: str, *, denied: bool, needed: bool) -> Line:
        key = f"{before}\x1f{leaf.shared}\x1f{denied}\x1f{needed}"
        found = self.lines.get(key)
        if found is None:
            label = f"{before}{leaf.path.text}"
            facts = Facts.of_no_case()  # what asks for a flag or a choice asks for nothing else
            known = {
                values: _made(label, leaf, values, facts, (leaf.test.check(values, facts), denied))
                for values in leaf.path.few
            }
            found = self.lines[key] = Line(label, leaf, denied, needed, key, known)
        return found
