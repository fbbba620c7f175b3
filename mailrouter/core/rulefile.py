"""A file of rules as plain data → compiled rules, every mistake reported with its place.

Invariant: a rule comes out only if nothing in it is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mailrouter.core.actions.interface import Report, Step, World, compile_step
from mailrouter.core.conditions.tree import Node, compile_when, leaves
from mailrouter.core.rules import Example, Rule
from mailrouter.core.spelling import nearest

Place = tuple[str | int, ...]
PlaceOf = Callable[[Place], tuple[int, int]]  # line and column, from 1

# The keys of a rule, as editors and `describe` show them.
KEYS: Mapping[str, str] = {
    "rule": "The rule's name: unique, for lists and traces.",
    "description": "What it is for, for colleagues.",
    "owner": "Who looks after it.",
    "enabled": "false: the rule is not tried.",
    "shadow": "true: what it would have done is recorded, and nothing is done.",
    "valid_from": "The first day of receipt that it is for.",
    "valid_until": "The last day of receipt that it is for.",
    "when": "Conditions: 'path: what it must be'; all, any, not combine them; 'always' meets every mail.",
    "then": "Actions, in order.",
    "stop": "true: where this rule matches, the rules after it are not tried.",
    "examples": "Sample mails and what must come of them.",
}
_ONCE = frozenset({"register", "move", "hold", "assign"})
_MILD = frozenset({"hold", "notify", "remind", "flag"})


@dataclass(slots=True)
class RuleFile:
    """One file being compiled. `names` has the rules of earlier files and where they stand."""

    file: str
    report: Report
    place_of: PlaceOf
    world: World
    names: dict[str, str] = field(default_factory=dict)

    def compile(self, data: Any) -> list[Rule]:
        """The rules of the file, in order; those with mistakes are left out."""
        if data is None:
            return []
        if not isinstance(data, list):
            self._say((), "a rule file is a list: every rule begins with '- rule: name'")
            return []
        made = [self._rule(item, (index,)) for index, item in enumerate(data)]
        return [rule for rule in made if rule is not None]

    def _say(self, place: Place, message: str, *, key: bool = False, warning: bool = False) -> None:
        self.report(place, message, key, warning)

    def _rule(self, data: Any, place: Place) -> Rule | None:
        if not isinstance(data, Mapping):
            self._say(place, "a rule begins with '- rule: name'")
            return None
        sound = self._known_keys(data, place)
        name = self._name(data, place)
        when = self._when(data, place)
        then = self._then(data, place)
        flags = {key: self._flag(data, key, place, default=key == "enabled") for key in ("stop", "shadow", "enabled")}
        days = {key: self._day(data, key, place) for key in ("valid_from", "valid_until")}
        texts = {key: self._text(data, key, place) for key in ("owner", "description")}
        if days["valid_from"] and days["valid_until"] and days["valid_from"] > days["valid_until"]:
            self._say((*place, "valid_until"), "the rule can never match: it ends before it begins")
            sound = False
        examples = self._examples(data, place)
        if not sound or name is None or when is None or then is None or examples is None:
            return None
        if None in (*flags.values(), *texts.values()) or days["valid_from"] == "" or days["valid_until"] == "":
            return None
        line, column = self.place_of((*place, "rule"))
        paths = [leaf.path.text.split(".")[0] for leaf in leaves(when)]
        return Rule(
            name=name,
            file=self.file,
            line=line,
            column=column,
            when=when,
            then=then,
            stop=bool(flags["stop"]),
            shadow=bool(flags["shadow"]),
            enabled=bool(flags["enabled"]),
            valid_from=days["valid_from"],
            valid_until=days["valid_until"],
            owner=texts["owner"] or "",
            description=texts["description"] or "",
            examples=examples,
            actions=repr(data["then"]),
            of_letter="letter" in paths,
            of_thread="thread" in paths,
        )

    def _known_keys(self, data: Mapping[str, Any], place: Place) -> bool:
        unknown = [key for key in data if key not in KEYS]
        for key in unknown:
            self._say((*place, key), f"unknown key '{key}'{nearest(key, KEYS)}", key=True)
        return not unknown

    def _name(self, data: Mapping[str, Any], place: Place) -> str | None:
        name = data.get("rule")
        if not isinstance(name, str) or not name.strip():
            self._say(
                (*place, "rule") if "rule" in data else place, "a rule needs a name: '- rule: letters to the minister'"
            )
            return None
        if name in self.names:
            self._say((*place, "rule"), f"a rule called '{name}' stands already in {self.names[name]}")
            return None
        line, _ = self.place_of((*place, "rule"))
        self.names[name] = f"{self.file}:{line}"
        return name

    def _when(self, data: Mapping[str, Any], place: Place) -> Node | None:
        if "when" not in data:
            self._say(place, "'when' is missing; 'when: always' meets every mail")
            return None
        wrong: list[Place] = []

        def report(at: Place, message: str, key: bool, warning: bool) -> None:  # noqa: FBT001  # the report's own shape
            if not warning:
                wrong.append(at)
            self.report(at, message, key, warning)

        node = compile_when(data["when"], (*place, "when"), report, self.world.directory)
        return None if wrong else node

    def _then(self, data: Mapping[str, Any], place: Place) -> tuple[Step, ...] | None:
        items = data.get("then")
        if items is None:
            self._say((*place, "then") if "then" in data else place, "'then' is missing: what is to be done")
            return None
        if not isinstance(items, list) or not items:
            self._say((*place, "then"), "'then' wants a list of actions, each in a '- ' line")
            return None
        wrong: list[Place] = []

        def report(at: Place, message: str, key: bool, warning: bool) -> None:  # noqa: FBT001  # the report's own shape
            if not warning:
                wrong.append(at)
            self.report(at, message, key, warning)

        ordinals: dict[str, int] = {}
        made = [
            compile_step(item, (*place, "then", index), ordinals, report, self.world)
            for index, item in enumerate(items)
        ]
        steps = tuple(step for step in made if step is not None)
        self._contradictions(steps, report)
        return None if wrong or len(steps) < len(made) else steps

    def _contradictions(self, steps: tuple[Step, ...], report: Report) -> None:
        seen: set[str] = set()
        names = {step.action.name for step in steps}
        for step in steps:
            name = step.action.name
            if name in seen and name in _ONCE:
                report(step.place, f"the rule contradicts itself: '{name}' stands twice", True, False)
            seen.add(name)
            if "hold" in names and name not in _MILD:
                message = f"the rule contradicts itself: a held mail is not acted on, so '{name}' never happens"
                report(step.place, message, True, False)

    def _flag(self, data: Mapping[str, Any], key: str, place: Place, *, default: bool) -> bool | None:
        value = data.get(key, default)
        if not isinstance(value, bool):
            self._say((*place, key), f"'{key}' wants true or false, not '{value}'")
            return None
        return value

    def _day(self, data: Mapping[str, Any], key: str, place: Place) -> str | None:
        """The ISO date; None if there is none, "" after saying that it is wrong."""
        value = data.get(key)
        if value is None:
            return None
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            self._say((*place, key), f"'{value}' is no date; write it as 2024-02-29")
            return ""

    def _text(self, data: Mapping[str, Any], key: str, place: Place) -> str | None:
        value = data.get(key, "")
        if not isinstance(value, str):
            self._say((*place, key), f"'{key}' wants a text, not '{value}'")
            return None
        return value

    def _examples(self, data: Mapping[str, Any], place: Place) -> tuple[Example, ...] | None:
        items = data.get("examples")
        if items is None or items == []:
            at = (*place, "rule") if "rule" in data else place
            self._say(at, "the rule has no examples; name a sample mail and what must come of it", warning=True)
            return ()
        if not isinstance(items, list):
            self._say((*place, "examples"), "'examples' wants a list, each '- sample: file' with 'expect:'")
            return None
        made = [self._example(item, (*place, "examples", index)) for index, item in enumerate(items)]
        return tuple(example for example in made if example) if all(made) else None

    def _example(self, item: Any, place: Place) -> Example | None:
        if not isinstance(item, Mapping):
            self._say(place, "an example is '- sample: file' with 'expect:'")
            return None
        sound = True
        for key in item:
            if key not in {"sample", "expect"}:
                self._say((*place, key), f"unknown key '{key}'{nearest(key, ('sample', 'expect'))}", key=True)
                sound = False
        sample, expect = item.get("sample"), item.get("expect")
        if not isinstance(sample, str) or not sample:
            self._say((*place, "sample") if "sample" in item else place, "an example needs 'sample': a mail's file")
            sound = False
        if expect is None:
            self._say(place, "an example needs 'expect': 'no match', or what must come of it")
            sound = False
        elif not self._expectable(expect, (*place, "expect")):
            sound = False
        line, column = self.place_of(place)
        return Example(str(sample), expect, line, column) if sound else None

    def _expectable(self, expect: Any, place: Place) -> bool:
        if isinstance(expect, str):
            if expect in {"match", "no match"}:
                return True
            self._say(
                place,
                f"'expect' is 'match', 'no match', or effects, not '{expect}'{nearest(expect, ('match', 'no match'))}",
            )
            return False
        if not isinstance(expect, Mapping):
            self._say(place, "'expect' is 'match', 'no match', or effects")
            return False
        known = {*KINDS}
        for key in expect:
            if key not in known:
                self._say((*place, key), f"no effect is called '{key}'{nearest(str(key), known)}", key=True)
        return all(key in known for key in expect)


KINDS = ("register", "forward", "draft", "acknowledge", "reply", "move", "flag", "assign", "notify", "calendar", "remind", "hold", "hand_over")  # fmt: skip
