"""Templates of mail texts: front matter, language, the text and HTML blocks; rendered in the sandbox.

Invariant: rendering depends on the sources and the variables alone; a subject is always one line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jinja2 import TemplateError, meta, nodes

from mailrouter.core.sandbox import Environment, RenderError, render

_VARIANT = re.compile(r"(?P<stem>.+?)(?:\.(?P<language>[a-z]{2}))?(?P<rest>(?:\.txt|\.html)?\.j2)")
_BLANKS = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template file: front matter and body. `first_line` is the body's first line in the file, from 1."""

    name: str
    body: str
    subject: str = ""
    language: str | None = None
    attachments: tuple[str, ...] = ()
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail text: `html` is "" if the template has no HTML block."""

    subject: str
    text: str
    html: str
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Templates:
    """All templates of a rule set. Compiled once, on first use."""

    files: Mapping[str, Template] = field(default_factory=dict)

    @cached_property
    def text_environment(self) -> Environment:
        """Where texts and subjects are rendered."""
        return Environment({name: file.body for name, file in self.files.items()}, html=False)

    @cached_property
    def html_environment(self) -> Environment:
        """Where HTML is rendered, everything escaped."""
        return Environment({name: file.body for name, file in self.files.items()}, html=True)

    @cached_property
    def _with_html(self) -> frozenset[str]:
        return frozenset(
            name for name, file in self.files.items() if "html" in _blocks(self.html_environment, file.body)
        )

    @cached_property
    def _variants(self) -> Mapping[str, Mapping[str, str]]:
        """Base name → language → name of the file."""
        found: dict[str, dict[str, str]] = {}
        for name in sorted(self.files):
            base, language = base_name(name)
            found.setdefault(base, {})[language] = name
        return found

    def known(self) -> list[str]:
        """Every name that a rule may give: files, and base names of language variants."""
        return sorted({*self.files, *self._variants})

    def choose(self, name: str, languages: Sequence[str | None]) -> str | None:
        """The file for the first language that there is one for, else the one without a language, else any."""
        if name in self.files and base_name(name)[1]:
            return name
        variants = self._variants.get(name, {})
        for language in languages:
            if language and language in variants:
                return variants[language]
        if "" in variants:
            return variants[""]
        return next((variants[language] for language in ("en", "et", *sorted(variants)) if language in variants), None)

    def language_of(self, name: str) -> str | None:
        """The language that a template file is in, by its front matter or name."""
        return self.files[name].language or base_name(name)[1] or None

    def uses(self, name: str) -> frozenset[str]:
        """The first words of all variables that a template asks for, in any language, its includes among them."""
        return self._uses.get(name, frozenset())

    @cached_property
    def _uses(self) -> Mapping[str, frozenset[str]]:
        asked = {name: self._asked(file) for name, file in self.files.items()}
        return {name: self._gathered(name, asked) for name in self.known()}

    def _gathered(self, name: str, asked: Mapping[str, tuple[set[str], set[str]]]) -> frozenset[str]:
        files = set(self._variants.get(name, {}).values()) | {name}
        found: set[str] = set()
        seen: set[str] = set()
        while files:
            current = files.pop()
            if current in asked and current not in seen:
                seen.add(current)
                found |= asked[current][0]
                files |= asked[current][1]
        return frozenset(found)

    def _asked(self, file: Template) -> tuple[set[str], set[str]]:
        """The variables of one file, and the templates that it includes."""
        found: tuple[set[str], set[str]] = (set(), set())
        for source in (file.subject, file.body):
            for environment in (self.text_environment, self.html_environment):
                names, included = _asked(environment, source)
                found[0].update(names)
                found[1].update(included)
        return found

    def render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        """A template file with its subject; RenderError names what is wrong."""
        file = self.files[name]
        subject = self.render_line(file.subject, values) if file.subject else ""
        text = render(self.text_environment, name, values, by_name=True)
        html = render(self.html_environment, name, values, by_name=True) if name in self._with_html else ""
        return Rendered(subject, tidy(text), html.strip(), file.attachments)

    def render_text(self, source: str, values: Mapping[str, Any]) -> str:
        """A template string of several lines."""
        return tidy(render(self.text_environment, source, values, by_name=False))

    def render_line(self, source: str, values: Mapping[str, Any]) -> str:
        """A template string as one line: a subject, a folder's name."""
        return one_line(render(self.text_environment, source, values, by_name=False))


def base_name(name: str) -> tuple[str, str]:
    """A file's name without its language, and that: "x.et.txt.j2" → ("x.txt.j2", "et"); "" if it has none."""
    match = _VARIANT.fullmatch(name)
    if match is None or match["language"] is None:
        return name, ""
    return f"{match['stem']}{match['rest']}", match["language"]


def is_template(text: str) -> bool:
    """Whether a value is a template string."""
    return "{{" in text or "{%" in text


def one_line(text: str) -> str:
    """A text without line breaks, so that no header can be added through it."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """A text without blank lines at its ends and with no more than one between paragraphs."""
    return _BLANKS.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")


def _blocks(environment: Environment, source: str) -> set[str]:
    try:
        return {block.name for block in environment.parse(source).find_all(nodes.Block)}
    except TemplateError:
        return set()


def _asked(environment: Environment, source: str) -> tuple[set[str], set[str]]:
    try:
        tree = environment.parse(source)
        return meta.find_undeclared_variables(tree), {name for name in meta.find_referenced_templates(tree) if name}
    except (TemplateError, RecursionError):  # said by the check of templates
        return set(), set()


__all__ = ["RenderError", "Rendered", "Template", "Templates", "base_name", "is_template", "one_line", "tidy"]
