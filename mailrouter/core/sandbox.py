"""The Jinja environment that templates run in.

Invariant: a template reaches its variables' keys and nothing else, and every loop, call, filter and output is paid from
a budget, so that no template can hang or flood the service.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NoReturn

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from jinja2 import DictLoader, StrictUndefined, TemplateError, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.filters import FILTERS
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from mailrouter.core.context import Shown

_BUDGET = 2_000_000  # units: one character written or read by a filter
_STEP = 20  # units that one turn of a loop and one call cost
_NUMBER = 10**15  # a larger number has no place in a letter
_LONGEST_SOURCE = 100_000
_ALLOWED = (
    "abs", "capitalize", "count", "d", "default", "e", "escape", "first", "join", "last", "length", "list", "lower", "map",
    "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string", "sum", "title", "trim",
    "truncate", "unique", "upper", "wordwrap",
)  # fmt: skip
_LOOP = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem", "cycle", "changed"}
)
_BUDGET_NAME = "_budget"
# A line with nothing but a tag or a comment leaves nothing; its line break goes into the tag, so that lines keep their
# numbers. A tag with "-" keeps its line break: there the author says what goes.
_LONE_TAG = re.compile(r"^[ \t]*(\{(?:%(?!-)|#))((?:(?!%\}|#\}).)*?[^-])((?:%|#)\})[ \t]*\n", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")


class Budget:
    """What a rendering may still spend."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _BUDGET

    def spend(self, units: int) -> None:
        """Pay, or end the rendering."""
        self.left -= units
        if self.left < 0:
            raise SecurityError("the template makes too much text or takes too many steps")

    def __str__(self) -> str:
        return ""


class RenderError(Exception):
    """A template could not be rendered: the message names it and what is wrong, for the person who mends it."""


def _pay(context: Context, units: int) -> None:
    budget = context.get(_BUDGET_NAME)
    if not isinstance(budget, Budget):
        raise SecurityError("'_budget' may not be used in a template")
    budget.spend(units)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | tuple | list | dict) else 1


@pass_context
def _bounded(context: Context, values: Any) -> Iterator[Any]:
    """What a loop goes over: lists of the case and texts cut into lists; every turn is paid."""
    if values is None:
        return
    if not isinstance(values, Iterable) or isinstance(values, Shown):
        raise SecurityError("a loop needs a list")
    for value in values:
        _pay(context, _STEP)
        yield value


@pass_context
def _joined(context: Context, values: list[Any]) -> str:
    """`a ~ b`, paid."""
    texts = [value if isinstance(value, str) else "" if value is None else str(value) for value in values]
    _pay(context, sum(map(len, texts)))
    if context.eval_ctx.autoescape:
        return Markup("").join(texts)  # join escapes what is no Markup
    return "".join(texts)


def _paid(name: str) -> Callable[..., Any]:
    """A filter of Jinja's own whose input and output are paid."""
    function = FILTERS[name]
    wants = getattr(getattr(function, "jinja_pass_arg", None), "name", "")

    def call(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        _pay(context, _STEP + _size(value) + sum(_size(item) for item in args))
        first: tuple[Any, ...] = {
            "context": (context,),
            "eval_context": (context.eval_ctx,),
            "environment": (context.environment,),
        }.get(wants, ())
        if name == "join":
            value = list(value or ())
            _pay(context, sum(map(_size, value)) + len(value) * sum(_size(item) for item in args))
        return function(*first, value, *args, **kwargs)

    return pass_context(call)


@pass_context
def _replace(context: Context, value: Any, old: str, new: str) -> str:
    """Replaces words; paid by what comes out."""
    text = str(value)
    _pay(context, _STEP + len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return text.replace(old, new) if old else text


@pass_context
def _indent(context: Context, value: Any, width: int = 4, first: bool = False) -> str:  # noqa: FBT001, FBT002  # as Jinja's
    """Indents the lines of a text by up to 40 places."""
    places = " " * max(0, min(int(width), 40))
    lines = str(value).split("\n")
    _pay(context, _STEP + len(str(value)) + len(lines) * len(places))
    text = f"\n{places}".join(lines)
    return places + text if first else text


@pass_context
def _lines(context: Context, value: Any) -> str:
    """A text's lines with <br> between them, for HTML."""
    lines = str(value or "").split("\n")
    _pay(context, _STEP + len(str(value or "")) + 5 * len(lines))
    return Markup("<br>\n").join(lines)


@pass_context
def _date(context: Context, value: Any, language: str | None = None, style: str = "long") -> str:
    """An ISO date in the reader's language: `{{ letter.dated | date }}`, `| date("en")`, `| date("et", "short")`.

    What is no date stays as it is; nothing gives nothing.
    """
    day = _day(value)
    if day is None:
        return "" if value is None else str(value)
    if style not in {"short", "medium", "long", "full"}:
        raise SecurityError(f"a date is short, medium, long or full, not '{style}'")
    wanted = language or str(context.get("language") or "en")
    if style == "short" and wanted == "et":
        return day.strftime("%d.%m.%Y")  # as registers print it; CLDR's short form drops the century
    return format_date(day, format=style, locale=_locale(wanted))


@pass_context
def _deadline(context: Context, value: Any, language: str | None = None) -> str:
    """A deadline with its day of the week: "reede, 15. märts 2024". Nothing gives nothing."""
    return _date(context, value, language, "full")


def _name(value: Any) -> str:
    """A name alone: of an address without the address, of a party without role and institution."""
    if value is None:
        return ""
    if isinstance(value, Shown):
        known = value.keys()
        found = next((value.get(key) for key in ("name", "from") if key in known and value.get(key)), None)
        if isinstance(found, Shown):
            return _name(found)
        return str(found) if found else str(value.get("address") or "") if "address" in known else str(value)
    return str(value).partition("<")[0].strip() or str(value)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _locale(language: str) -> Locale:
    """A language's locale; English as Europe writes it, day before month."""
    if language == "en":
        return Locale.parse("en_GB")
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    """What an expression prints: nothing for what is absent; lists with commas; paid."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        value = ", ".join("" if item is None else str(item) for item in value)
    text = value if isinstance(value, str) else str(value)
    _pay(context, 1 + len(text))
    return text


class _Rewrite(NodeTransformer):
    """Loops and joins made payable; the block of the other kind left out."""

    def __init__(self, drop: str) -> None:
        self.drop = drop

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # jinja's naming
        if node.recursive:
            raise TemplateSyntaxError("a recursive loop is not allowed", node.lineno)
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "bounded", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        listed = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(listed, "joined", [], [], None, None, lineno=node.lineno)

    def visit_Block(self, node: nodes.Block) -> nodes.Node | None:  # noqa: N802
        self.generic_visit(node)
        return None if node.name == self.drop else node

    def visit_Extends(self, node: nodes.Extends) -> NoReturn:  # noqa: N802
        raise TemplateSyntaxError("'extends' is not allowed; use 'include'", node.lineno)


class Environment(ImmutableSandboxedEnvironment):
    """Sandboxed further than Jinja's own sandbox: keys only, no methods, a short list of filters, a budget."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, sources: Mapping[str, str], *, html: bool) -> None:
        super().__init__(
            loader=DictLoader(dict(sources)),
            undefined=StrictUndefined,
            autoescape=html,
            finalize=_finalize,
            optimized=False,
            auto_reload=False,
            cache_size=-1,
        )
        self.html = html
        self.globals.clear()
        self.filters = {name: _paid(name) for name in _ALLOWED} | {
            "bounded": _bounded, "joined": _joined, "replace": _replace, "indent": _indent, "lines": _lines,
            "date": _date, "deadline": _deadline, "name": _name,
        }  # fmt: skip

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > _LONGEST_SOURCE:
            raise TemplateSyntaxError(f"a template longer than {_LONGEST_SOURCE} characters", 1, name)
        tree = super()._parse(_LONE_TAG.sub(r"\1\2\n\3", source), name, filename)
        rewritten = _Rewrite("text" if self.html else "html").visit(tree)
        rewritten.set_environment(self)
        return rewritten  # type: ignore[no-any-return]  # a transformer is typed as anything

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: a key of a record, or what a loop knows about itself."""
        if obj is None:
            return None
        if isinstance(obj, Shown):
            try:
                return obj.get(attribute)
            except KeyError:
                return self.undefined(f"there is no '{attribute}' in {str(obj)[:40]!r}")
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        if isinstance(obj, StrictUndefined):
            return super().getattr(obj, attribute)
        raise SecurityError(f"'.{attribute}' may not be used here: only the keys of the case have parts")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`: as `getattr`, or a place in a list or text."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if obj is None:
            return None
        if isinstance(obj, tuple | list | str) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except (IndexError, TypeError):
                return None
        raise SecurityError("only lists and records have parts")

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063  # as in Jinja
        """A call of one of the template's own macros, or of loop.cycle."""
        of_loop = isinstance(getattr(__obj, "__self__", None), LoopContext)
        if not of_loop and not isinstance(__obj, Macro | BlockReference):
            raise SecurityError("nothing may be called in a template but its own macros")
        _pay(__context, 10 * _STEP)
        return __context.call(__obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on small numbers, and texts put together."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            _pay(context, len(left) + len(right))
            return left + right
        if not _is_number(left) or not _is_number(right) or operator == "**":
            raise SecurityError(f"'{operator}' is for numbers here")
        return super().call_binop(context, operator, left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < _NUMBER


def render(environment: Environment, source: str, values: Mapping[str, Any], *, by_name: bool) -> str:
    """A template by name, or a template string, rendered; RenderError says what is wrong and where."""
    what = f"template '{source}'" if by_name else "a text in the rules"
    try:
        template = environment.get_template(source) if by_name else environment.from_string(source)
        return _CONTROL.sub("", template.render({**values, _BUDGET_NAME: Budget()})).replace("\r", "")
    except TemplateError as error:
        line = getattr(error, "lineno", None) if isinstance(error, TemplateSyntaxError) else None
        raise RenderError(
            f"{what}{f', line {line}' if line else ''}: {error.message or type(error).__name__}"
        ) from error
    except RecursionError:
        raise RenderError(f"{what}: templates or macros call each other without end") from None
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, MemoryError) as error:
        raise RenderError(f"{what}: {error}") from error
