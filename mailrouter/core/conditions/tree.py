"""`when` → a tree of conditions: all, any, not over paths and their tests; evaluated fast, or with a full trace.

Invariant: both ways give the same answer. Answers do not depend on the order in which conditions are tried, so cheap
ones are tried first.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailrouter.core.conditions.interface import (
    Counted,
    Facts,
    Lookup,
    Operator,
    Report,
    Site,
    Test,
    existence,
    operators,
    something,
)
from mailrouter.core.conditions.text import one_of_values
from mailrouter.core.paths import Fault, Field, Path, View, fields_of, resolve
from mailrouter.core.people import Directory
from mailrouter.core.spelling import nearest

LOGIC = ("all", "any", "not")
_ORDERED = 9  # cost of what holds others
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One path and what it must meet. Equal conditions have one `shared` key, so that each is answered once a case.

    `shared` is "" for conditions on a part of a record.
    """

    path: Path
    wanted: Any
    test: Counted
    words: Callable[[str, Facts], str | None] | None
    shared: str

    def holds(self, root: Any, facts: Facts) -> bool:
        """Whether the values that the path reaches meet the test."""
        if not self.shared:
            return self.test.check(self.path.get(root), facts)
        answers = (facts.letter if self.path.letter else facts.case).answers
        found = answers.get(self.shared)
        if found is None:
            found = answers[self.shared] = self.test.check(self.path.get(root), facts)
        return found

    @property
    def cost(self) -> int:
        """How dear the answer is."""
        return self.test.cost


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple["Node", ...]
    cost: int = _ORDERED

    def holds(self, root: Any, facts: Facts) -> bool:
        """Whether every part holds."""
        for part in self.parts:  # noqa: SIM110  # a generator costs twice as much here
            if not part.holds(root, facts):
                return False
        return True


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part holds."""

    parts: tuple["Node", ...]
    cost: int = _ORDERED

    def holds(self, root: Any, facts: Facts) -> bool:
        """Whether one part holds."""
        return any(part.holds(root, facts) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Node"
    cost: int = _ORDERED

    def holds(self, root: Any, facts: Facts) -> bool:
        """Whether the part does not hold."""
        return not self.part.holds(root, facts)


Node = Leaf | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Compiler:
    """What compiling needs: where to report, and the directory that names are checked against."""

    report: Report
    directory: Directory

    def block(self, data: Any, place: Place, root: type) -> Node | None:
        """`when`, or the inside of all, any, not, or of a record: a mapping or a list whose parts must all hold."""
        if isinstance(data, list):
            return _all(self._parts(data, place, root))
        if not isinstance(data, Mapping):
            self.report(place, f"a condition is 'path: what it must be', not '{data}'", False, False)
            return None
        if not data:
            self.report(place, "no conditions; 'when: always' meets every mail", False, False)
            return None
        nodes = [self._entry(str(key), value, (*place, str(key)), root) for key, value in data.items()]
        return _all(node for node in nodes if node is not None)

    def _parts(self, data: Sequence[Any], place: Place, root: type) -> list[Node]:
        if not data:
            self.report(place, "an empty list of conditions", False, False)
        nodes = [self.block(item, (*place, index), root) for index, item in enumerate(data)]
        return [node for node in nodes if node is not None]

    def _entry(self, key: str, value: Any, place: Place, root: type) -> Node | None:
        if key == "not":
            node = self.block(value, place, root)
            return Not(node, node.cost) if node else None
        if key in LOGIC:
            if not isinstance(value, list):
                self.report(place, f"'{key}' wants a list of conditions", False, False)
                return None
            parts = self._parts(value, place, root)
            if not parts:
                return None
            return _all(parts) if key == "all" else AnyOf(tuple(parts), max(part.cost for part in parts))
        return self._leaf(key, value, place, root)

    def _leaf(self, key: str, value: Any, place: Place, root: type) -> Node | None:
        path = resolve(key, root)
        if isinstance(path, Fault):
            known = nearest(key, [*fields_of(root), *LOGIC]) if "." not in key else ""
            message = f"unknown condition '{key}'{known}" if known else path.message
            self.report(place, message, True, False)
            return None
        compiled = self._test(value, place, path.field)
        if compiled is None:
            return None
        counted, words = compiled
        shared = sys.intern(f"{path.text}\x1f{value!r}") if root is View else ""
        return Leaf(path, value, counted, words, shared)

    def _test(self, spec: Any, place: Place, field: Field) -> tuple[Counted, Any] | None:
        """What stands right of a path → a test of all its values, and what finds its words."""
        site = Site(place, self.report, field, self.directory)
        if spec is None:
            return Counted(lambda values, _: not something(values), 0, existence(wanted=False)), None
        if not isinstance(spec, Mapping):
            wanted = spec if isinstance(spec, list) else [spec]
            if spec == []:
                site.problem("an empty list can never be met")
                return None
            test = one_of_values(wanted, site, single=not isinstance(spec, list))
            return (_some([test]), test.words) if test else None
        if not spec:
            site.problem("an empty condition; 'exists: true' asks whether something is there")
            return None
        return self._operators(spec, site)

    def _operators(self, spec: Mapping[str, Any], site: Site) -> tuple[Counted, Any] | None:
        tests: list[Test] = []
        counted: list[Counted] = []
        sound = True
        for key, value in spec.items():
            made = self._operator(str(key), value, site)
            sound = sound and made is not None
            if isinstance(made, Test):
                tests.append(made)
            elif made is not None:
                counted.append(made)
        if not sound:
            return None
        if tests:
            counted.append(_some(tests))
        words = next((test.words for test in tests if test.words), None)
        return (counted[0] if len(counted) == 1 else _every(counted)), words

    def _operator(self, key: str, value: Any, site: Site) -> Test | Counted | None:
        place = (*site.place, key)
        below = Site(place, self.report, site.field, self.directory)
        if key in LOGIC:
            return self._combined(key, value, below)
        known = operators()
        parts = fields_of(site.field.record) if site.field.record else {}
        chosen = known.get(key)
        if chosen is not None and site.field.kind in chosen.takes:
            return chosen.compile(value, below)
        if key.split(".", 1)[0] in parts and site.field.record:
            node = self._entry(key, value, place, site.field.record)
            return Test(node.holds, cost=node.cost) if node else None
        self._unknown(key, chosen, below, list(parts))
        return None

    def _unknown(self, key: str, chosen: Operator | None, site: Site, parts: list[str]) -> None:
        kind = _KINDS[site.field.kind]
        if chosen is not None:
            fit = sorted(item.name for item in operators().values() if site.field.kind in item.takes)
            site.problem(
                f"'{key}' does not fit '{site.field.key}', which is {kind}; fitting: {', '.join(fit)}", key=True
            )
            return
        known = [item.name for item in operators().values() if site.field.kind in item.takes]
        site.problem(f"unknown condition '{key}'{nearest(key, [*known, *parts, *LOGIC])}", key=True)

    def _combined(self, key: str, value: Any, site: Site) -> Counted | None:
        if key == "not":
            inner = self._test(value, site.place, site.field)
            if inner is None:
                return None
            check = inner[0].check
            return Counted(lambda values, facts: not check(values, facts), inner[0].cost, _denied(inner[0].lookup))
        if not isinstance(value, list) or not value:
            site.problem(f"'{key}' wants a list of conditions")
            return None
        made = [self._test(item, (*site.place, index), site.field) for index, item in enumerate(value)]
        tests = [item[0] for item in made if item is not None]
        if len(tests) < len(made):
            return None
        return _every(tests) if key == "all" else _either(tests)


_KINDS = {
    "text": "a text",
    "date": "a date",
    "number": "a number",
    "flag": "true or false",
    "choice": "one of a few words",
    "record": "a record of several parts",
}


def always() -> Node:
    """The condition that every mail meets."""
    return All(())


def compile_when(data: Any, place: Place, report: Report, directory: Directory) -> Node | None:
    """`when` of a rule → its tree; None after reporting what is wrong."""
    if data == "always":
        return always()
    return Compiler(report, directory).block(data, place, View)


def leaves(node: Node) -> Iterable[Leaf]:
    """Every condition of a tree, in its order."""
    match node:
        case Leaf():
            yield node
        case Not(part=part):
            yield from leaves(part)
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from leaves(part)


def _all(parts: Iterable[Node]) -> Node | None:
    nodes = list(parts)
    if len(nodes) == 1:
        return nodes[0]
    return All(tuple(nodes), sum(node.cost for node in nodes)) if nodes else None


def _cheap_first(parts: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(parts, key=lambda part: part.cost))


def hurried(node: Node) -> Node:
    """The same tree with cheap conditions first."""
    match node:
        case Leaf():
            return node
        case Not(part=part):
            return Not(hurried(part), node.cost)
        case All(parts=parts):
            return All(_cheap_first(map(hurried, parts)), node.cost)
        case AnyOf(parts=parts):
            return AnyOf(_cheap_first(map(hurried, parts)), node.cost)


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that must all hold, nested ones opened."""
    if isinstance(node, All):
        for part in node.parts:
            yield from conjuncts(part)
    else:
        yield node


def looked_up(node: Node) -> tuple[Leaf | None, Lookup | None]:
    """A single condition, or the denial of one, and how it is looked up; None where it is not."""
    if isinstance(node, Leaf):
        return node, node.test.lookup
    if isinstance(node, Not) and isinstance(node.part, Leaf):
        return node.part, _denied(node.part.test.lookup)
    return None, None


def _denied(found: Lookup | None) -> Lookup | None:
    """How the contrary is looked up."""
    return replace(found, refuses=not found.refuses) if found and found.exact else None


_SOMETHING = Lookup("something", lambda values, _: (bool(values),), frozenset({True}), exact=False)


def _some(tests: Sequence[Test]) -> Counted:
    """One value meets all the tests."""
    if len(tests) == 1:
        check = tests[0].check

        def some(values: Sequence[Any], facts: Facts) -> bool:
            for value in values:  # noqa: SIM110  # a generator costs twice as much here
                if check(value, facts):
                    return True
            return False

        return Counted(some, tests[0].cost, tests[0].lookup or _SOMETHING)
    checks = tuple(test.check for test in sorted(tests, key=lambda test: test.cost))

    def all_by_one(values: Sequence[Any], facts: Facts) -> bool:
        for value in values:
            for each in checks:
                if not each(value, facts):
                    break
            else:
                return True
        return False

    return Counted(all_by_one, sum(test.cost for test in tests), _SOMETHING)


def _every(tests: Sequence[Counted]) -> Counted:
    checks = tuple(test.check for test in tests)
    return Counted(lambda values, facts: all(c(values, facts) for c in checks), sum(test.cost for test in tests))


def _either(tests: Sequence[Counted]) -> Counted:
    checks = tuple(test.check for test in tests)
    return Counted(lambda values, facts: any(c(values, facts) for c in checks), sum(test.cost for test in tests))
