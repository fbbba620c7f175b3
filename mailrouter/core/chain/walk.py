"""Lines → the mails they quote: whose words each line is.

Invariant: every line that is no header, separator or blank end belongs to exactly one mail. A quotation belongs to
the mail whose header or attribution opened its depth; text that returns to a lower depth belongs to whom it did before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mailrouter.core.chain.attribution import read_attribution
from mailrouter.core.chain.context import Context
from mailrouter.core.chain.headers import Header, may_begin, read_header
from mailrouter.core.chain.lines import Line, join


@dataclass(slots=True)
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
    drafts = [Draft(None, "forward", 0, None)]
    given: list[int] = [0] * len(context.lines)  # line → whose text it was given to
    owners: dict[int, int] = {0: 0}  # depth → whose text it is
    last = 0
    at = 0
    while at < len(context.lines):
        line = context.lines[at]
        if context.blank(at):
            drafts[last].lines.append((at, line))
            given[at] = last
            at += 1
            continue
        if last and context.ends(at) and not _opens(context, at):
            owners = _closed(drafts, owners, last)
            last = _owner(owners, line.depth)
            at += 1
            continue
        opened = _open(context, at)
        if opened is None:
            last = _owner(owners, line.depth)
            drafts[last].lines.append((at, line))
            given[at] = last
            at += 1
            continue
        header, kind = opened
        depth = _body_depth(context, header, line.depth, kind)
        _take_back(context, [drafts[owner] for owner in set(given[max(0, header.start - 12) : at])], header.start, line.depth)
        draft = Draft(header, kind, depth, last)
        if header.tail:
            draft.lines.append((header.end - 1, Line(depth, header.tail)))
        drafts.append(draft)
        owners = {key: value for key, value in owners.items() if key < depth} | {depth: len(drafts) - 1}
        last = len(drafts) - 1
        if header.subject:
            context.subjects.insert(0, header.subject)
            del context.subjects[6:]
        at = header.end
    return drafts


def _owner(owners: dict[int, int], depth: int) -> int:
    return owners[max(key for key in owners if key <= depth)] if min(owners) <= depth else 0


def _opens(context: Context, at: int) -> bool:
    after = context.next_text(at + 1)
    return after is not None and may_begin(context, after) and read_header(context, after, separated=True) is not None


def _closed(drafts: list[Draft], owners: dict[int, int], last: int) -> dict[int, int]:
    """The owners behind the end of a forwarded message: its depth is again the text it stands in."""
    above = drafts[last].above or 0
    depth = drafts[last].depth
    kept = {key: value for key, value in owners.items() if key < depth}
    return kept | {drafts[above].depth: above} if drafts[above].depth <= depth else kept or {0: 0}


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
        return depth
    below = context.next_text(header.end, 5)
    return max(depth, context.lines[below].depth) if below is not None else depth


def _technical(context: Context, start: int) -> int:
    """The first of the lines like "Message-ID: …" that stand right above a header block."""
    while start > 0:
        field = context.field(start - 1)
        if field is None or field.known is None or field.known.role != "other" or "-" not in field.label:
            break
        start -= 1
    return start


def _take_back(context: Context, drafts: list[Draft], start: int, depth: int) -> None:
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
