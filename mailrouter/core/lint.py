"""Rules that are sound one by one and wrong together: never met, or hidden behind an earlier `stop`.

Invariant: only what is certain is said; a rule that might match is left alone.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from mailrouter.core.actions.interface import Step
from mailrouter.core.conditions.tree import All, AnyOf, Leaf, Node, Not
from mailrouter.core.effects import Text
from mailrouter.core.language import fold
from mailrouter.core.outcomes import Problem
from mailrouter.core.rules import Rule

_ALMOST = 0.88  # how alike two folders' names must be to be taken for one


def lint(rules: Sequence[Rule]) -> list[Problem]:
    """Every rule that can never match, and every one that an earlier `stop` hides."""
    return [*_impossible(rules), *_hidden(rules)]


def folders(rules: Sequence[Rule]) -> list[tuple[Rule, Step, str]]:
    """Folders that one rule alone names and that are almost like another's: (rule, step, what to say)."""
    named: list[tuple[Rule, Step, str]] = []
    for rule in rules:
        for step in rule.then:
            folder = step.given["folder"].constant if step.action.name == "move" else None
            if isinstance(folder, Text) and folder.subject:
                named.append((rule, step, folder.subject))
    found = []
    every = [folder for _, _, folder in named]
    for place, (rule, step, folder) in enumerate(named):
        # Of two that stand once each, the later one is asked about.
        others = {other for at, other in enumerate(every) if other != folder and (at < place or every.count(other) > 1)}
        alone = every.count(folder) == 1
        close = difflib.get_close_matches(folder, sorted(others), 1, _ALMOST) if alone else []
        if close:
            found.append((rule, step, f"only this rule files mail in '{folder}'; did you mean '{close[0]}'?"))
    return found


def _impossible(rules: Sequence[Rule]) -> Iterator[Problem]:
    for rule in rules:
        why = _contradiction(rule.when)
        if why:
            yield Problem(rule.file, rule.line, rule.column, f"the rule can never match: {why}")


def _contradiction(node: Node) -> str | None:
    """Why a tree can never hold, if that is certain."""
    parts = _conjuncts(node)
    for part in parts:
        if isinstance(part, AnyOf):
            reasons = [_contradiction(option) for option in part.parts]
            if reasons and all(reasons):
                return reasons[0]
        if isinstance(part, All) and part is not node and (reason := _contradiction(part)):
            return reason
    leaves = [part for part in parts if isinstance(part, Leaf)]
    denied = [part.part for part in parts if isinstance(part, Not) and isinstance(part.part, Leaf)]
    for leaf in leaves:
        for other in denied:
            if isinstance(other, Leaf) and _implies(leaf, other):
                return f"'{leaf.path.text}' must be {leaf.wanted!r} and must not be so"
    return next((why for one, two in _pairs(leaves) if (why := _exclude(one, two))), None) or _ranges(leaves)


def _conjuncts(node: Node) -> list[Node]:
    """The parts that must all hold, nested `all` opened."""
    if isinstance(node, All):
        return [part for item in node.parts for part in _conjuncts(item)]
    return [node]


def _pairs(leaves: Sequence[Leaf]) -> Iterator[tuple[Leaf, Leaf]]:
    for index, one in enumerate(leaves):
        for two in leaves[index + 1 :]:
            if one.path.text == two.path.text:
                yield one, two


def _exclude(one: Leaf, two: Leaf) -> str | None:
    """Why two conditions on one path cannot both hold."""
    path = one.path.text
    if {_existence(one), _existence(two)} == {True, False}:
        return f"'{path}' must exist and must not"
    if one.path.many or one.path.field.kind == "record":
        return None
    first, second = _values(one.wanted), _values(two.wanted)
    if first is None or second is None or first & second:
        return None
    return f"'{path}' cannot be {one.wanted!r} and {two.wanted!r}"


def _existence(leaf: Leaf) -> bool | None:
    """True if the condition needs a value, False if it forbids one, None if neither is certain."""
    wanted = leaf.wanted
    if wanted is None:
        return False
    if isinstance(wanted, dict):
        if "exists" in wanted:
            return bool(wanted["exists"])
        if set(wanted) & {"not", "any", "all", "count"}:
            return None
    return True


def _values(wanted: Any) -> frozenset[str] | None:
    """The values that alone meet a condition, folded; None if it is no plain equality."""
    if isinstance(wanted, dict):
        if len(wanted) != 1:
            return None
        ((key, inner),) = wanted.items()
        return _values(inner) if key in {"is", "one_of"} and not isinstance(inner, dict) else None
    if wanted is None:
        return None
    items = wanted if isinstance(wanted, list) else [wanted]
    return frozenset(fold(str(item)) for item in items)


def _ranges(leaves: Sequence[Leaf]) -> str | None:
    """A lower bound above an upper one on the same path."""
    bounds: dict[str, dict[str, Any]] = {}
    for leaf in leaves:
        if isinstance(leaf.wanted, dict) and not leaf.path.many:
            for key, value in leaf.wanted.items():
                if isinstance(value, int | float | str) and not isinstance(value, bool):
                    bounds.setdefault(leaf.path.text, {}).setdefault(key, value)
    for path, found in bounds.items():
        for low, high, strict in (
            ("at_least", "at_most", False),
            ("more_than", "less_than", True),
            ("after", "before", True),
        ):
            if low in found and high in found and type(found[low]) is type(found[high]):
                wrong = found[low] >= found[high] if strict else found[low] > found[high]
                if wrong:
                    return f"'{path}' cannot be {low} {found[low]} and {high} {found[high]}"
    return None


def _hidden(rules: Sequence[Rule]) -> Iterator[Problem]:
    stops: list[Rule] = []
    for rule in rules:
        before = next((stop for stop in stops if _covers(stop, rule)), None)
        if before is not None and rule.enabled:
            message = (
                f"the rule is never reached: '{before.name}' ({before.file}:{before.line}) matches before it and stops"
            )
            yield Problem(rule.file, rule.line, rule.column, message)
        if rule.stop and rule.enabled and not rule.shadow:
            stops.append(rule)


def _covers(stop: Rule, rule: Rule) -> bool:
    """Whether the earlier rule is certain to match whenever the later one does."""
    if stop.valid_from and (not rule.valid_from or rule.valid_from < stop.valid_from):
        return False
    if stop.valid_until and (not rule.valid_until or rule.valid_until > stop.valid_until):
        return False
    return _node_implies(rule.when, stop.when)


def _node_implies(one: Node, other: Node) -> bool:
    """Whether `other` holds wherever `one` does, if that is certain."""
    if isinstance(one, AnyOf):
        return all(_node_implies(option, other) for option in one.parts)
    if isinstance(other, AnyOf):
        return any(_node_implies(one, option) for option in other.parts)
    mine = _conjuncts(one)
    for wanted in _conjuncts(other):
        if isinstance(wanted, AnyOf):
            if not _node_implies(one, wanted):
                return False
        elif not any(_same_or_stricter(part, wanted) for part in mine):
            return False
    return True


def _same_or_stricter(one: Node, other: Node) -> bool:
    if isinstance(one, Leaf) and isinstance(other, Leaf):
        return _implies(one, other)
    if isinstance(one, Not) and isinstance(other, Not):
        return _node_implies(other.part, one.part)
    if isinstance(one, AnyOf):
        return all(_node_implies(option, other) for option in one.parts)
    return False


def _implies(one: Leaf, other: Leaf) -> bool:
    """Whether the values that meet `one` meet `other`, if that is certain."""
    if one.path.text != other.path.text:
        return False
    if one.wanted == other.wanted:
        return True
    if _existence(one) is True and isinstance(other.wanted, dict) and other.wanted == {"exists": True}:
        return True
    first, second = _values(one.wanted), _values(other.wanted)
    return first is not None and second is not None and first <= second
