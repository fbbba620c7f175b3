"""Templates checked before any mail is seen: syntax, filters, and every variable against the types of the Case.

Invariant: what passes here finds every key it asks for; only values may be absent then, and print as nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from mailrouter.core.context import roots
from mailrouter.core.paths import Field, fields_of
from mailrouter.core.sandbox import Environment
from mailrouter.core.spelling import nearest
from mailrouter.core.templates import Template, Templates

_OWN_FILTERS = frozenset({"bounded", "joined"})
_ELEMENT_FILTERS = frozenset({"first", "last"})
_SAME_FILTERS = frozenset(
    {"sort", "unique", "reverse", "list", "select", "reject", "selectattr", "rejectattr", "bounded", "default", "d"}
)
_LOOP = Field("loop", "loop", "text")


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong in a template: line and column in the checked source, from 1."""

    line: int
    column: int
    message: str


@dataclass(slots=True)
class _Checker:
    """One pass over a template's tree. `scope` has what the template itself names; None: of unknown kind."""

    environment: Environment
    source: str
    templates: Templates
    scope: dict[str, Field | None] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    def visit(self, node: nodes.Node) -> None:
        """A statement and all below it."""
        match node:
            case nodes.For():
                self._loop(node)
            case nodes.Macro() | nodes.CallBlock():
                self._macro(node)
            case nodes.Assign(target=target, node=value):
                self._bind(target, self.kind(value))
            case nodes.AssignBlock(target=target):
                self._below(node)
                self._bind(target, None)
            case nodes.FromImport() | nodes.Import() | nodes.Include():
                self._included(node)
            case nodes.With():
                self._with(node)
            case nodes.Expr():
                self.kind(node)
            case _:
                self._below(node)

    def _below(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            self.visit(child)

    def _loop(self, node: nodes.For) -> None:
        over = self.kind(node.iter)
        before = dict(self.scope)
        element = Field(over.key, over.attribute, over.kind, many=False, record=over.record) if over else None
        if over is not None and not over.many:
            self._remark(node, over.key, f"'{over.key}' is no list; a loop needs one")
        self._bind(node.target, element)
        self.scope["loop"] = _LOOP
        for part in [*([node.test] if node.test else []), *node.body, *node.else_]:
            self.visit(part)
        self.scope.clear()
        self.scope.update(before)

    def _macro(self, node: nodes.Macro | nodes.CallBlock) -> None:
        if isinstance(node, nodes.Macro):
            self.scope[node.name] = None
        else:
            self.visit(node.call)
        before = dict(self.scope)
        for default in node.defaults:
            self.visit(default)
        self.scope |= {argument.name: None for argument in node.args} | dict.fromkeys(("caller", "varargs", "kwargs"))
        for part in node.body:
            self.visit(part)
        self.scope.clear()
        self.scope.update(before)

    def _with(self, node: nodes.With) -> None:
        for target, value in zip(node.targets, node.values, strict=True):
            self._bind(target, self.kind(value))
        for part in node.body:
            self.visit(part)

    def _bind(self, target: nodes.Node, kind: Field | None) -> None:
        if isinstance(target, nodes.Name):
            self.scope[target.name] = kind
        elif isinstance(target, nodes.Tuple):
            for item in target.items:
                self._bind(item, None)

    def _included(self, node: nodes.Include | nodes.Import | nodes.FromImport) -> None:
        named = node.template
        if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
            self._remark(node, "include", "an included template is named in quotes")
        elif named.value not in self.templates.files:
            known = nearest(named.value, self.templates.files)
            self._remark(node, named.value, f"no template is called '{named.value}'{known}")
        if isinstance(node, nodes.Import):
            self.scope[node.target] = None
        elif isinstance(node, nodes.FromImport):
            self.scope |= {name if isinstance(name, str) else name[1]: None for name in node.names}

    def kind(self, node: nodes.Node) -> Field | None:
        """What an expression gives, as far as it can be told."""
        match node:
            case nodes.Name(name=name, ctx="load"):
                return self._name(node, name)
            case nodes.Getattr(node=inner, attr=key):
                return self._part(node, self.kind(inner), key)
            case nodes.Getitem(node=inner, arg=nodes.Const(value=str() as key)):
                return self._part(node, self.kind(inner), key)
            case nodes.Getitem(node=inner, arg=argument):
                over = self.kind(inner)
                self.kind(argument)
                return _element(over)
            case nodes.Filter():
                return self._filter(node)
            case nodes.Test(name=name):
                if name not in self.environment.tests:
                    self._remark(node, name, f"no test is called '{name}'{nearest(name, self.environment.tests)}")
        for child in node.iter_child_nodes():
            self.kind(child)
        return None

    def _filter(self, node: nodes.Filter) -> Field | None:
        known = self.environment.filters
        name = node.name
        if name not in known:
            shown = [other for other in known if other not in _OWN_FILTERS]
            self._remark(node, name, f"no filter is called '{name}'{nearest(name, shown)}")
        over = self.kind(node.node) if node.node is not None else None
        for child in [*node.args, *node.kwargs]:
            self.kind(child)
        if name in _ELEMENT_FILTERS:
            return _element(over)
        return over if name in _SAME_FILTERS else None

    def _name(self, node: nodes.Node, name: str) -> Field | None:
        if name in self.scope:
            return self.scope[name]
        known = roots()
        if name not in known:
            self._remark(node, name, f"unknown variable '{name}'{nearest(name, [*known, *self.scope])}")
            return None
        return known[name]

    def _part(self, node: nodes.Node, over: Field | None, key: str) -> Field | None:
        if over is None or over is _LOOP:
            return None
        if over.many:
            self._remark(node, key, f"'{over.key}' is a list; use '{over.key} | first' or a loop")
            return None
        if over.record is None:
            self._remark(node, key, f"'{over.key}' has no parts, so no '{key}'")
            return None
        known: Mapping[str, Field] = fields_of(over.record)
        if key not in known:
            self._remark(node, key, f"unknown variable: there is no '{key}' in '{over.key}'{nearest(key, known)}")
            return None
        return known[key]

    def _remark(self, node: nodes.Node, word: str, message: str) -> None:
        lines = self.source.split("\n")
        text = lines[node.lineno - 1] if 0 < node.lineno <= len(lines) else ""
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)
        remark = Remark(node.lineno, found.start() + 1 if found else 1, message)
        if remark not in self.remarks:
            self.remarks.append(remark)


def _element(over: Field | None) -> Field | None:
    if over is None:
        return None
    return Field(over.key, over.attribute, over.kind, many=False, record=over.record)


def check_source(source: str, templates: Templates) -> list[Remark]:
    """Everything that is wrong in a template's source, both its blocks."""
    found: list[Remark] = []
    for environment in (templates.text_environment, templates.html_environment):
        try:
            tree = environment.parse(source)
        except TemplateSyntaxError as error:
            return [Remark(error.lineno, 1, f"not a valid template: {error.message}")]
        except (TemplateError, RecursionError) as error:
            return [Remark(1, 1, f"not a valid template: {error}")]
        checker = _Checker(environment, source, templates)
        checker.visit(tree)
        found += [remark for remark in checker.remarks if remark not in found]
        found += [remark for remark in _blocks(tree) if remark not in found]
        if not found:
            try:
                environment.compile(source)
            except TemplateError as error:
                found.append(Remark(getattr(error, "lineno", 1) or 1, 1, f"not a valid template: {error.message}"))
    return sorted(found, key=lambda remark: (remark.line, remark.column, remark.message))


def _blocks(tree: nodes.Template) -> Iterator[Remark]:
    """Unknown blocks, and words outside of the blocks."""
    blocks = [node for node in tree.body if isinstance(node, nodes.Block)]
    for block in tree.find_all(nodes.Block):
        if block.name not in {"text", "html"}:
            known = nearest(block.name, ("text", "html"))
            yield Remark(block.lineno, 1, f"unknown block '{block.name}'{known}")
    for node in tree.body if blocks else []:
        if isinstance(node, nodes.Output) and any(_has_words(part) for part in node.nodes):
            yield Remark(node.lineno, 1, "words outside of the blocks 'text' and 'html' would stand in both")


def _has_words(part: nodes.Node) -> bool:
    return not isinstance(part, nodes.TemplateData) or bool(part.data.strip())


def check_string(source: str, templates: Templates) -> list[str]:
    """Everything that is wrong in a template string that stands in a rule."""
    return [remark.message for remark in check_source(source, templates)]


def check_template(template: Template, templates: Templates) -> list[Remark]:
    """Everything that is wrong in a template file; lines are the file's."""
    shift = template.first_line - 1
    body = check_source(template.body, templates)
    return [Remark(remark.line + shift, remark.column, remark.message) for remark in body]
