"""The texts of rules/, templates/ and the directory → a RuleSet with a digest, or every Problem with file:line:column.

Invariant: `build` depends on the texts alone, so that a version stored in the database builds the same for ever; the
digest covers every one of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter

from mailrouter import yamltext
from mailrouter.core.actions.interface import World
from mailrouter.core.actions.recipients import reachable
from mailrouter.core.deadlines import Term
from mailrouter.core.lint import folders, lint
from mailrouter.core.nominations import Nominations, check_nominations
from mailrouter.core.outcomes import Problem
from mailrouter.core.people import Directory, check_directory
from mailrouter.core.register import Classification, check_classification
from mailrouter.core.rulefile import RuleFile
from mailrouter.core.rules import Rule, RuleSet
from mailrouter.core.template_check import check_source, check_template
from mailrouter.core.templates import Template, Templates
from mailrouter.core.trust import Trust
from mailrouter.ruleset.sources import INSTITUTION, digest_of
from mailrouter.yamltext import YamlText

_FRONT_KEYS = ("subject", "language", "attachments")
_STRICT = ConfigDict(extra="forbid", defer_build=True)  # built when first used
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """config/deadlines.yaml."""

    terms: tuple[Term, ...] = ()


# "| None": a plain dataclass takes no strictness of its own, a union hands it down.
_DIRECTORY: TypeAdapter[Directory | None] = TypeAdapter(Directory | None, config=_STRICT)
_CLASSIFICATION: TypeAdapter[Classification | None] = TypeAdapter(Classification | None, config=_STRICT)
_NOMINATIONS: TypeAdapter[Nominations | None] = TypeAdapter(Nominations | None, config=_STRICT)
_DEADLINES: TypeAdapter[Deadlines | None] = TypeAdapter(Deadlines | None, config=_STRICT)
_TRUST: TypeAdapter[Trust] = TypeAdapter(Trust)


def build(files: Mapping[str, str]) -> tuple[RuleSet | None, list[Problem]]:
    """The rule set of these texts, and every problem at once; None if one of them is an error. Pure."""
    builder = _Builder(dict(sorted(files.items())))
    ruleset = builder.build()
    problems = sorted(set(builder.problems), key=lambda p: (p.file, p.line, p.column, p.message))
    failed = any(problem.severity == "error" for problem in problems)
    return (None if failed else ruleset), problems


class _Builder:
    """One build; problems are gathered."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.problems: list[Problem] = []

    def build(self) -> RuleSet:
        directory, source = self._config("people", _DIRECTORY)
        self._checked(source, check_directory(directory) if directory else [])
        classification, source = self._config("register", _CLASSIFICATION)
        self._checked(source, check_classification(classification) if classification else [])
        nominations, source = self._config("nominations", _NOMINATIONS)
        if nominations and directory:
            self._checked(source, check_nominations(nominations, directory))
        deadlines, _ = self._config("deadlines", _DEADLINES)
        institution, trust, domains = self._institution()
        templates = self._templates()
        world = World(
            directory or Directory(),
            classification or Classification(),
            nominations or Nominations(),
            deadlines.terms if deadlines else (),
            templates,
            institution,
            reachable(directory) if directory else {},
        )
        rules = self._rules(world)
        sources = {name.partition("/")[2]: text for name, text in self.files.items() if name.startswith("templates/")}
        return RuleSet(
            digest=digest_of(self.files),
            institution=institution,
            domains=domains,
            rules=tuple(rules),
            templates=sources,
            directory=world.directory,
            classification=world.classification,
            nominations=world.nominations,
            terms=world.terms,
            trust=trust,
            world=world,
            surroundings=digest_of({name: text for name, text in self.files.items() if not name.startswith("rules/")}),
        )

    def _config(self, name: str, adapter: TypeAdapter[T | None]) -> tuple[T | None, YamlText | None]:
        file = f"config/{name}.yaml"
        if file not in self.files:
            return None, None
        source = self._parsed(self.files[file], file)
        if source is None:
            return None, None
        value, problems = yamltext.validate(adapter, source)
        self.problems += problems
        return value, source

    def _checked(self, source: YamlText | None, found: Any) -> None:
        for place, message in found if source else ():
            self.problems.append(source.problem(tuple(place), message) if source else Problem("", 0, 0, message))

    def _parsed(self, text: str, file: str, first_line: int = 1) -> YamlText | None:
        broken = next((number for number, line in enumerate(text.split("\n"), 1) if _is_broken(line)), None)
        if broken is not None:
            self.problems.append(Problem(file, broken, 1, "not UTF-8; save the file as UTF-8"))
            return None
        source, problems = yamltext.parse(text, file)
        shift = first_line - 1
        self.problems += [replace(p, line=p.line + shift) for p in problems]
        return source

    def _institution(self) -> tuple[str, Trust, tuple[str, ...]]:
        try:
            data = json.loads(self.files.get(INSTITUTION, "{}"))
            own = data.get("institution", {})
            return (
                str(own.get("name", "")),
                _TRUST.validate_python(data.get("trust", {})),
                tuple(own.get("domains", ())),
            )
        except (ValueError, AttributeError) as error:
            self.problems.append(Problem(INSTITUTION, 1, 1, f"cannot be read: {str(error).splitlines()[0]}"))
            return "", Trust(), ()

    def _templates(self) -> Templates:
        names = {name.partition("/")[2]: text for name, text in self.files.items() if name.startswith("templates/")}
        made = {name: self._template(name, text) for name, text in names.items()}
        templates = Templates({name: template for name, template in made.items() if template is not None})
        for name, template in templates.files.items():
            file = f"templates/{name}"
            self.problems += [Problem(file, r.line, r.column, r.message) for r in check_template(template, templates)]
            subject = check_source(template.subject, templates) if template.subject else []
            self.problems += [Problem(file, *_subject_place(names[name]), f"subject: {r.message}") for r in subject]
        return templates

    def _template(self, name: str, text: str) -> Template | None:
        file = f"templates/{name}"
        broken = next((number for number, line in enumerate(text.split("\n"), 1) if _is_broken(line)), None)
        if broken is not None:
            self.problems.append(Problem(file, broken, 1, "not UTF-8; save the file as UTF-8"))
            return None
        lines = text.replace("\r\n", "\n").split("\n")
        if lines[0].rstrip() != "---":
            return Template(name, "\n".join(lines))
        end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is None:
            self.problems.append(Problem(file, 1, 1, "the front matter has no end: a second line '---'"))
            return None
        # The opening line is kept as an empty one, so that places in the front matter are the file's.
        source = self._parsed("\n".join(["", *lines[1:end]]), file)
        front = self._front(source) if source is not None else None
        if front is None:
            return None
        return Template(name, "\n".join(lines[end + 1 :]), first_line=end + 2, **front)

    def _front(self, source: YamlText) -> dict[str, Any] | None:
        data = source.data or {}
        if not isinstance(data, dict):
            self.problems.append(source.problem((), "the front matter is 'subject:', 'language:', 'attachments:'"))
            return None
        found: list[Problem] = []
        for key, value in data.items():
            if key not in _FRONT_KEYS:
                message = f"unknown key '{key}'{yamltext.nearest(key, list(_FRONT_KEYS))}"
                found.append(source.problem((key,), message, key=True))
            elif key == "attachments":
                if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                    found.append(
                        source.problem((key,), "'attachments' wants a list of names: original, letter, or a file's")
                    )
            elif not isinstance(value, str):
                found.append(source.problem((key,), f"'{key}' wants a text in quotes, not '{value}'"))
            elif key == "language" and not (len(value) == 2 and value.isalpha() and value.islower()):
                found.append(source.problem((key,), f"'{value}' is no language; write it as et, en, fr …"))
        self.problems += found
        if found:
            return None
        return {**data, "attachments": tuple(data.get("attachments", ()))}

    def _rules(self, world: World) -> list[Rule]:
        names: dict[str, str] = {}
        rules: list[Rule] = []
        sources: dict[str, YamlText] = {}
        files = [name for name in self.files if name.startswith("rules/")]
        for file in files:
            source = self._parsed(self.files[file], file)
            if source is None:
                continue
            sources[file] = source
            rules += self._of_file(file, source, world, names)
        if not files:
            self.problems.append(Problem("rules", 0, 0, "no rule files (*.yaml) are in the folder of rules"))
        self.problems += lint(rules)
        for rule, step, message in folders(rules):
            at = (*step.place, "folder") if (*step.place, "folder") in sources[rule.file].values else step.place
            self.problems.append(sources[rule.file].problem(at, message, warning=True))
        return rules

    def _of_file(self, file: str, source: YamlText, world: World, names: dict[str, str]) -> list[Rule]:
        def report(place: tuple[str | int, ...], message: str, key: bool, warning: bool) -> None:  # noqa: FBT001  # the report's own shape
            self.problems.append(source.problem(place, message, key=key, warning=warning))

        def place_of(place: tuple[str | int, ...]) -> tuple[int, int]:
            at = source.place(place)
            return at.line, at.column

        return RuleFile(file, report, place_of, world, names).compile(source.data)


def _is_broken(line: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in line) if not line.isascii() else False


def _subject_place(text: str) -> tuple[int, int]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("subject:"):
            return number, len("subject: ") + 1
    return 1, 1
