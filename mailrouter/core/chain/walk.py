"""Lines → the mails they quote: whose words each line is.

Invariant: every line that is no header, separator or blank end belongs to exactly one mail. A quotation belongs to
the mail whose header or attribution opened its depth; text that returns to a lower depth belongs to whom it did before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from mailrouter.core.chain.attribution import read_attribution
from mailrouter.core.chain.context import Context
from mailrouter.core.chain.headers import Header, may_begin, read_header
from mailrouter.core.chain.lines import Line, join


@dataclass(slots=True, eq=False)
class Draft:
    """A mail being read: its header (None: the outermost mail), its lines with their numbers, the depth of its text."""

    header: Header | None
    kind: Literal["forward", "reply"]
    depth: int
    above: int | None  # whose text its header stands in
    lines: list[tuple[int, Line]] = field(default_factory=list)

    def text(self) -> str:
        """The mail's own words."""
        return join(self._contiguous())

    def _contiguous(self) -> Iterator[tuple[int, Line]]:
        """The lines with their depth; where another mail was quoted between them, one blank line."""
        before = -1
        bare = True  # the line before is blank
        for at, line in self.lines:
            blank = not line.text.strip()
            if at != before + 1 and before >= 0 and not bare:
                bare = True
                yield self.depth, Line(self.depth, "")
            if not (blank and bare and at != before + 1):
                yield self.depth, line
                before, bare = at, blank


def walk(context: Context) -> list[Draft]:
    """The mails of a text: the outermost first, then those below it by nesting, newest first."""
    walker = _Walker(context)
    at = 0
    while at < len(context.lines):
        at = walker.step(at)
    return walker.drafts


class _Walker:
    """Goes down the lines and keeps whose text each depth is."""

    def __init__(self, context: Context) -> None:
        self.drafts = [Draft(None, "forward", 0, None)]
        self._context = context
        self._given = [0] * len(context.lines)  # line → whose text it was given to
        self._owners: dict[int, int] = {0: 0}  # depth → whose text it is
        self._last = 0  # whose text the line before was

    def step(self, at: int) -> int:
        """Deal with line `at`; the number of the line to go on with."""
        context = self._context
        line = context.lines[at]
        if context.blanks[at]:
            return self._give(at, line, self._last)
        if self._last and context.ends(at) and not _opens(context, at):
            if not context.scissors(at) or self.drafts[self._last].text():
                self._close()
            self._last = self._owner(line.depth)
            return at + 1
        opened = _open(context, at) if _worth(context, at, line) else None
        if opened is None:
            return self._give(at, line, self._owner(line.depth))
        return self._begin(at, *opened)

    def _give(self, at: int, line: Line, owner: int) -> int:
        self._last = self._given[at] = owner
        self.drafts[owner].lines.append((at, line))
        return at + 1

    def _begin(self, at: int, header: Header, kind: Literal["forward", "reply"]) -> int:
        """Open the mail whose header was found on line `at`."""
        context = self._context
        quoted = context.lines[at].depth
        depth = _body_depth(context, header, quoted, kind)
        if header.titled:
            header = replace(header, start=_title_above(context, header.start))
        near = {self.drafts[owner] for owner in self._given[max(0, header.start - 12) : at]}
        _take_back(context, near, header.start, quoted)
        draft = Draft(header, kind, depth, self._last)
        if header.tail:
            draft.lines.append((header.end - 1, Line(depth, header.tail)))
        self.drafts.append(draft)
        self._last = len(self.drafts) - 1
        self._owners = {key: value for key, value in self._owners.items() if key < depth} | {depth: self._last}
        if header.subject:
            context.subjects.insert(0, header.subject)
            del context.subjects[6:]
        return self._below(header.end) if kind == "forward" else header.end

    def _below(self, at: int) -> int:
        """The line to go on with below a header: behind a rule or a repeated title that closes it."""
        context = self._context
        closes = at < len(context.lines) and not context.blanks[at] and context.separates(at) and not context.ends(at)
        return at + 1 if closes else at

    def _owner(self, depth: int) -> int:
        owner = self._owners.get(depth)
        if owner is None:
            owner = self._owners[max((key for key in self._owners if key <= depth), default=min(self._owners))]
        return owner

    def _close(self) -> None:
        """Behind the end of a forwarded message its depth is again the text that it stands in."""
        closed = self.drafts[self._last]
        above = closed.above or 0
        kept = {key: value for key, value in self._owners.items() if key < closed.depth}
        if self.drafts[above].depth <= closed.depth:
            kept[self.drafts[above].depth] = above
        self._owners = kept or {0: 0}


def _worth(context: Context, at: int, line: Line) -> bool:
    """Whether a header or an attribution can begin or end here: a mark behind a label, or a quotation below."""
    text = line.text
    if ":" in text or "\t" in text or "|" in text or "：" in text:
        return True
    if at + 1 < len(context.lines) and context.lines[at + 1].depth > line.depth:
        return True
    below = context.next_text(at + 1, 5)
    return below is not None and context.lines[below].depth > line.depth


def _opens(context: Context, at: int) -> bool:
    after = context.next_text(at + 1)
    return after is not None and may_begin(context, after) and read_header(context, after, separated=True) is not None


def _open(context: Context, at: int) -> tuple[Header, Literal["forward", "reply"]] | None:
    """The header block or attribution line that begins (or ends) on line `at`."""
    if may_begin(context, at):
        header = read_header(context, at, separated=_separated(context, at))
        if header is not None:
            return header, "forward"
    attribution = read_attribution(context, at)
    if attribution is not None:
        return attribution, "reply"
    return None


def _separated(context: Context, at: int) -> bool:
    """Whether a separator stands right above line `at`."""
    depth = context.lines[at].depth
    for above in range(at - 1, max(-1, at - 5), -1):
        if not context.blank(above):
            deeper = context.lines[above].depth < depth
            return context.separates(above, deeper=deeper) and context.lines[above].depth <= depth
    return False


def _body_depth(context: Context, header: Header, depth: int, kind: str) -> int:
    """The depth of the text below a header: its own, or that of the quotation that an attribution opens."""
    if kind == "forward":
        return depth + 1 if _quotes_all(context, header.end, depth) else depth
    if header.end < len(context.lines) and context.blanks[header.end] and context.lines[header.end].depth > depth:
        return context.lines[header.end].depth
    below = context.next_text(header.end, 5)
    return max(depth, context.lines[below].depth) if below is not None else depth


def _quotes_all(context: Context, first: int, depth: int) -> bool:
    """Whether all the text below a header is one quotation: so some programs forward, their header unquoted."""
    quoted = False
    for at in range(first, len(context.lines)):
        if context.blanks[at]:
            continue
        if context.lines[at].depth <= depth:
            return quoted and (context.lines[at].depth < depth or context.ends(at))
        quoted = True
    return quoted


def _title_above(context: Context, start: int) -> int:
    """The line of the title that stands alone above a header, "Início da mensagem:" in any language; else `start`."""
    above = start - 1
    while above >= max(0, start - 3) and (context.blanks[above] or context.rules(above)):
        above -= 1
    if above < max(0, start - 3):
        return start
    text = context.lines[above].text.strip()
    alone = text.endswith((":", "：")) and len(text.split()) <= 6 and not context.figure(above)
    return above if alone and context.lines[above].depth <= context.lines[start].depth else start


def _technical(context: Context, start: int) -> int:
    """The first of the lines like "Message-ID: …" that stand right above a header block."""
    while start > 0:
        field = context.field(start - 1)
        if field is None or field.known is None or field.known.role != "other" or "-" not in field.label:
            break
        start -= 1
    return start


def _take_back(context: Context, drafts: Iterable[Draft], start: int, depth: int) -> None:
    """Take separators, and header lines already given away, out of the texts above a header on line `start`."""
    above = _technical(context, start)
    gone = set(range(above, start))
    at = above - 1
    while at >= max(0, start - 9) and len(gone) < start - above + 3:
        if not context.blank(at):
            deeper = context.lines[at].depth < depth and len(gone) == start - above
            if not context.separates(at, deeper=deeper):
                break
            gone.add(at)
            if context.wraps_title(at):
                at -= 1
                gone.add(at)
        at -= 1
    first = min(gone, default=start)
    for draft in drafts:
        kept: list[tuple[int, Line]] = []
        while draft.lines and draft.lines[-1][0] >= first:
            pair = draft.lines.pop()
            if pair[0] < start and pair[0] not in gone:
                kept.append(pair)
        draft.lines.extend(reversed(kept))
