"""What an action is: a pure function from its values and the case to effects; one file per action beside this one.

Invariant: the same case, rule and values give the same effects with the same keys. What cannot be done without a
person comes back as a Hold, what need not be done as a note.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from mailrouter.core.case import Case
from mailrouter.core.deadlines import Term
from mailrouter.core.effects import Effect, effect_key
from mailrouter.core.letter.letters import Letter
from mailrouter.core.message import Address
from mailrouter.core.nominations import Nominations, Nominee, propose
from mailrouter.core.outcomes import Hold
from mailrouter.core.paths import View
from mailrouter.core.people import Directory, Person
from mailrouter.core.register import Classification
from mailrouter.core.spelling import nearest
from mailrouter.core.templates import Templates

Place = tuple[str | int, ...]
Report = Callable[[Place, str, bool, bool], None]  # place, message, whether at the key itself, whether a warning


@dataclass(frozen=True, slots=True)
class World:
    """What actions know besides the case: the directory, the register's series, terms and templates."""

    directory: Directory = field(default_factory=Directory)
    classification: Classification = field(default_factory=Classification)
    nominations: Nominations = field(default_factory=Nominations)
    terms: tuple[Term, ...] = ()
    templates: Templates = field(default_factory=Templates)
    institution: str = ""
    reach: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)  # whom a full name means on any day
    named: Mapping[str, tuple[Person, ...]] = field(init=False)  # the persons of a full name

    def __post_init__(self) -> None:
        people: dict[str, tuple[Person, ...]] = {}
        for person in self.directory.people:
            people[person.name] = (*people.get(person.name, ()), person)
        object.__setattr__(self, "named", people)


class Scene(NamedTuple):
    """One action of one rule on one case, seen with the letter that the rule means; `now` is when it is decided."""

    view: View  # what paths start from
    rule: str
    action: str
    ordinal: int  # which of the rule's actions of this name it is, from 0
    now: datetime
    world: World
    series: str | None  # the mark that the case's rules register it in
    naming: bool  # whether nominees are sought

    @property
    def case(self) -> Case:
        """What is decided."""
        return self.view.case

    @property
    def letter(self) -> Letter | None:
        """The letter that the rule means."""
        return self.view.letter

    @property
    def nominee(self) -> Nominee | None:
        """Whom nominations.yaml names for the case, first of all."""
        if not self.naming:
            return None
        nominees = propose(
            self.case,
            self.world.nominations,
            self.world.directory,
            on=self.now.date().isoformat(),
            series=self.series,
            organisation=self.world.institution,
        )
        return nominees[0] if nominees else None

    @property
    def key(self) -> str:
        """The key of this action's effect."""
        return effect_key(self.case.sha256, self.case.mailbox.name, self.rule, self.action, self.ordinal)


@dataclass(frozen=True, slots=True)
class Note:
    """Nothing is done, and why."""

    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """It can be done; only that was asked. `what` is what two rules may not want differently."""

    what: Any = None


READY = Ready()
_ENDS = (Hold, Note)  # what a value may be instead: then nothing is done
Outcome = Effect | Hold | Note | Ready


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a rule: `get` gives it for a scene, or a Hold.

    `paths` are those it is taken from; `constant` is the value itself where it does not depend on the case.
    """

    get: Callable[[Scene], Any]
    paths: tuple[str, ...] = ()
    constant: Any = None
    is_fixed: bool = False


def fixed(constant: Any) -> Value:
    """A value that is the same for every case."""
    return Value(lambda _: constant, constant=constant, is_fixed=True)


@dataclass(frozen=True, slots=True)
class Site:
    """Where in a rule a value stands, and what it is checked against."""

    place: Place
    report: Report
    world: World

    def problem(self, message: str, *steps: str | int, key: bool = False, warning: bool = False) -> None:
        """Say what is wrong here, or at `steps` below."""
        self.report((*self.place, *steps), message, key, warning)

    def below(self, *steps: str | int) -> "Site":
        """The site of a part."""
        return Site((*self.place, *steps), self.report, self.world)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how it is checked and compiled, and its JSON Schema."""

    name: str
    schema: Mapping[str, Any]
    compile: Callable[[Any, Site], Value | None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that an action takes; `description` is for staff."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    default: Any = None  # as it would stand in the rule; compiled like any other


@dataclass(frozen=True, slots=True)
class Action:
    """A word that `then` may use. A plain value stands for the parameter `short`.

    `once`: not repeated for a duplicate. `probe` tells in short whether it can be done; without it, it can be done when
    its values can be had.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    short: str | None
    once: bool
    do: Callable[[Mapping[str, Any], Scene], Outcome]
    check: Callable[[Mapping[str, Value], Site], None] | None = None
    probe: Callable[[Mapping[str, Any], Scene], Outcome] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled action of a rule."""

    action: Action
    given: Mapping[str, Value]
    ordinal: int
    place: Place
    fixed: Mapping[str, Any]  # the values that no case changes
    taken: tuple[tuple[str, Callable[[Scene], Any]], ...]  # the others
    always_ready: bool  # whether it can be done for every case

    def outcome(self, scene: Scene, *, probing: bool = False) -> Outcome:
        """What it comes to for a scene; `probing`: only whether it can be done is asked, costly answers are left out."""
        values: Mapping[str, Any] = self.fixed
        if self.taken:
            values = dict(values)
            for name, get in self.taken:
                found = get(scene)
                if isinstance(found, _ENDS):
                    return found
                values[name] = found
        if not probing:
            return self.action.do(values, scene)
        return self.action.probe(values, scene) if self.action.probe else READY

    @property
    def asked_for(self) -> bool:
        """Whether its recipients come from the colleague's own instruction."""
        to = self.given.get("to")
        return to is not None and any(path.split(".")[0] == "instruction" for path in to.paths)


def action(
    name: str,
    *parameters: Parameter,
    short: str | None = None,
    once: bool = False,
    check: Callable[[Mapping[str, Value], Site], None] | None = None,
    probe: Callable[[Mapping[str, Any], Scene], Outcome] | None = None,
) -> Callable[[Callable[[Mapping[str, Any], Scene], Outcome]], Action]:
    """Make an action of a function; its docstring is the staff's reference."""

    def make(function: Callable[[Mapping[str, Any], Scene], Outcome]) -> Action:
        return Action(name, " ".join((function.__doc__ or "").split()), parameters, short, once, function, check, probe)

    return make


@cache
def actions() -> Mapping[str, Action]:
    """Every action of every file in this package; two of one name refuse to start."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    found: dict[str, Action] = {}
    for module in sorted(item.name for item in pkgutil.iter_modules(package.__path__)):
        for value in vars(importlib.import_module(f"{package.__name__}.{module}")).values():
            if not isinstance(value, Action) or found.get(value.name) is value:
                continue
            if value.name in found:
                raise ValueError(f"two actions are called '{value.name}'")
            found[value.name] = value
    return found


def compile_step(item: Any, place: Place, ordinals: dict[str, int], report: Report, world: World) -> Step | None:
    """One entry of `then` → Step; None after reporting what is wrong."""
    if isinstance(item, str):
        item = {item: {}}
    if not isinstance(item, Mapping) or len(item) != 1:
        report(place, "an action is 'name: values', one in each '- ' line", False, False)
        return None
    ((name, data),) = item.items()
    known = actions()
    if name not in known:
        report((*place, name), f"unknown action '{name}'{nearest(str(name), known)}", True, False)
        return None
    chosen = known[name]
    ordinal = ordinals.get(chosen.name, 0)
    ordinals[chosen.name] = ordinal + 1
    given = _given(chosen, data, Site((*place, name), report, world))
    if given is None:
        return None
    constants = {key: value.constant for key, value in given.items() if value.is_fixed}
    taken = tuple((key, value.get) for key, value in given.items() if not value.is_fixed)
    always_ready = not taken and chosen.probe is None
    return Step(chosen, given, ordinal, (*place, name), constants, taken, always_ready)


def _given(chosen: Action, data: Any, site: Site) -> dict[str, Value] | None:
    short = not isinstance(data, Mapping)
    if short:
        if chosen.short is None:
            site.problem(f"'{chosen.name}' wants a mapping of {', '.join(p.name for p in chosen.parameters)}")
            return None
        data = {chosen.short: data} if data is not None else {}
    parameters = {parameter.name: parameter for parameter in chosen.parameters}
    sound = True
    for key in data:
        if key not in parameters:
            site.problem(f"unknown key '{key}'{nearest(str(key), parameters)}", str(key), key=True)
            sound = False
    given: dict[str, Value] = {}
    for name, parameter in parameters.items():
        below = site if short else site.below(name)
        if name not in data:
            if parameter.required:
                site.problem(f"'{chosen.name}' needs '{name}'", key=True)
                sound = False
                continue
            value = _default(parameter, below)
        else:
            value = parameter.kind.compile(data[name], below)
        if value is None:
            sound = False
        else:
            given[name] = value
    if sound and chosen.check is not None:
        chosen.check(given, site)
    return given if sound else None


def _default(parameter: Parameter, site: Site) -> Value | None:
    if parameter.default is None:
        return fixed(None)
    return parameter.kind.compile(parameter.default, site)
