"""Lines → the mails they quote: whose words each line is.

Invariant: every line that is no header, separator or blank end belongs to exactly one mail. A quotation belongs to
the mail whose header or attribution opened its depth; text that returns to a lower depth belongs to whom it did before.
"""

from dataclasses import dataclass, field
from typing import Literal

from mailrouter.core.chain.attribution import read_attribution
from mailrouter.core.chain.context import Context
from mailrouter.core.chain.headers import Header, read_header
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
        return join((self.depth, line) for _, line in self.lines)


def walk(context: Context) -> list[Draft]:
    """The mails of a text: the outermost first, then those below it by nesting, newest first."""
    drafts = [Draft(None, "forward", 0, None)]
    owners: dict[int, int] = {0: 0}  # depth → whose text it is
    last = 0
    at = 0
    while at < len(context.lines):
        line = context.lines[at]
        if context.blank(at):
            drafts[last].lines.append((at, line))
            at += 1
            continue
        if context.ends(at) and last and not _opens(context, at):
            owners = _closed(drafts, owners, last)
            last = _owner(owners, line.depth)
            at += 1
            continue
        opened = _open(context, at, drafts, last)
        if opened is None:
            last = _owner(owners, line.depth)
            drafts[last].lines.append((at, line))
            at += 1
            continue
        header, kind = opened
        depth = _body_depth(context, header, line.depth, kind)
        _take_back(context, drafts, header.start, line.depth, kind)
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
    return after is not None and read_header(context, after, separated=True) is not None


def _closed(drafts: list[Draft], owners: dict[int, int], last: int) -> dict[int, int]:
    """The owners behind the end of a forwarded message: its depth is again the text it stands in."""
    above = drafts[last].above or 0
    depth = drafts[last].depth
    kept = {key: value for key, value in owners.items() if key < depth}
    return kept | {drafts[above].depth: above} if drafts[above].depth <= depth else kept or {0: 0}


def _open(context: Context, at: int, drafts: list[Draft], last: int) -> tuple[Header, Literal["forward", "reply"]] | None:
    """The header block or attribution line that begins (or ends) on line `at`."""
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


def _take_back(context: Context, drafts: list[Draft], start: int, depth: int, kind: str) -> None:
    """Take separators, and header lines already given away, out of the text above a header."""
    for draft in drafts:
        while draft.lines and draft.lines[-1][0] >= start:
            draft.lines.pop()
    left = 3 if kind == "forward" else 1
    at = start - 1
    removed: set[int] = set()
    while at >= 0 and left:
        if not context.blank(at):
            deeper = context.lines[at].depth < depth and not removed and kind == "forward"
            if not context.separates(at, deeper=deeper):
                break
            removed.add(at)
            left -= 1
        elif start - at > 8:
            break
        at -= 1
    if removed:
        for draft in drafts:
            if draft.lines and draft.lines[-1][0] >= min(removed):
                draft.lines = [pair for pair in draft.lines if pair[0] not in removed]
