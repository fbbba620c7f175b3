"""The lines that can form one header block: consecutive fields, wrapped values, blank lines between fields.

Invariant: a block never holds two lines of one role, nor more than a header can have.
"""

import re
from dataclasses import dataclass

from mailrouter.core.chain.context import Context
from mailrouter.core.chain.fields import Field, kind_of
from mailrouter.core.chain.mailboxes import begins_list, has_address
from mailrouter.core.chain.subjects import core
from mailrouter.core.dates import parse_sent

_FIELDS = 14  # the longest header seen has eleven
_TABLE = re.compile(r"\s*\|[|\s:+-]*--[|\s:+-]*$")  # the rule below the first row of a table
_WRAPPED = 60  # lines of one wrapped list of recipients


@dataclass(slots=True)
class Entry:
    """One field of a block with the lines it is wrapped over."""

    field: Field
    value: str
    kind: str
    first: int
    last: int
    own_line: bool = False  # the label stands alone, its value on the next line


def collect(context: Context, index: int) -> list[Entry]:
    """The fields from line `index` on that can belong to one header block, in order."""
    depth = context.lines[index].depth
    entries: list[Entry] = []
    gaps: set[bool] = set()
    at = index
    while at < len(context.lines) and len(entries) < _FIELDS:
        gap = False
        if context.blank(at):
            after = context.next_text(at, 4)
            if not entries or after is None or not _bridges(context, entries, after, gaps):
                break
            at, gap = after, True
        if context.lines[at].depth != depth:
            break
        field = context.field(at)
        if not gap and entries and _continues(context, entries[-1], at, field):
            _extend(context, entries[-1], at)
        elif entries and _TABLE.match(context.lines[at].text):
            pass
        elif field is None or _repeats(field, entries, gap=False) or _complete(entries):
            break
        else:
            if entries:
                gaps.add(gap)
                if gaps == {True, False} and entries[0].field.role is None and len(entries) == 2:
                    return []  # a line of the text above, a blank line, and only then the block
            own_line = not field.value and (not entries or entries[0].own_line)
            entries.append(Entry(field, field.value, field.kind, at, at, own_line))
        at += 1
    return entries


def _complete(entries: list[Entry]) -> bool:
    """Whether unknown labels have shown author, date, recipients and then text: the subject, which ends that order."""
    if not entries or entries[-1].field.role is not None or entries[-1].kind != "text" or entries[0].kind != "address":
        return False
    kinds = [entry.kind for entry in entries]
    return "date" in kinds and kinds.count("address") >= 2


def _bridges(context: Context, entries: list[Entry], after: int, gaps: set[bool]) -> bool:
    """Whether a block goes on behind blank lines: where all its fields stand apart, or one that it lacks follows."""
    field = context.field(after)
    if field is None or _repeats(field, entries, gap=not (False not in gaps and _lacks_recipients(entries))):
        return False
    roles = {entry.field.role for entry in entries}
    if field.role is not None:
        return False not in gaps or (None not in roles and not {"subject", "from"} <= roles)
    if field.known is not None or False in gaps:
        return False
    whole = {"from", "date", "subject"} <= roles
    if field.kind == "address":  # recipients below the subject, copies below the recipients
        copies = entries[-1].kind == "address" and has_address(re.split("[,;]", field.value)[-1])
        return not whole or copies or _lacks_recipients(entries)
    return not whole and _bridges_unaddressed(context, entries, after, field.kind)


def _bridges_unaddressed(context: Context, entries: list[Entry], after: int, kind: str) -> bool:
    """Whether a date or a text under an unknown label goes on a block whose fields all stand apart."""
    if kind == "text" and len(entries) == 1 and entries[0].kind == "address":  # a subject, with the date below it
        behind = context.next_text(after + 1, 4)
        following = context.field(behind) if behind is not None else None
        return following is not None and following.kind == "date"
    ended = entries[0].field.role in ("from", None) and len(entries) >= 4 and entries[-1].kind == "text"
    return not ended and (kind == "date" or (kind == "text" and len(entries) >= 2))


def _lacks_recipients(entries: list[Entry]) -> bool:
    """Whether a block has its author and no other mailboxes yet."""
    return entries[0].kind == "address" and sum(entry.kind == "address" for entry in entries) == 1


def _repeats(field: Field, entries: list[Entry], *, gap: bool) -> bool:
    if field.role is not None:
        # A block that began with an author under an unknown label has its author already; right below, without a
        # blank line, a known author's label is a word of the unknown language.
        begun = (
            gap
            and field.role == "from"
            and len(entries) >= 2
            and entries[0].field.role is None
            and entries[0].kind == "address"
        )
        return begun or any(entry.field.role == field.role for entry in entries)
    return any(entry.field.label == field.label for entry in entries)


def _continues(context: Context, entry: Entry, at: int, field: Field | None) -> bool:
    """Whether line `at` is the rest of a wrapped value."""
    line = context.lines[at]
    if line.glued is not None or at - entry.first > _WRAPPED:
        return False
    value, text = entry.value.rstrip(), line.text
    if not value:  # the label has a line of its own, as the block's first has
        return entry.own_line and (field is None or (field.known is None and bool(field.value)))
    if field is not None and (field.known is not None or not value.endswith((",", ";"))):
        return False
    if entry.field.role == "subject" or (entry.kind == "text" and entry.field.role is None):
        return text[:1] in " \t" or _goes_on(context, value, text)
    if entry.field.role == "date" or entry.kind in ("date", "day"):
        return "T" not in (parse_sent(value) or "") and "T" in (parse_sent(f"{value} {text.strip()}") or "")
    return _lists_on(value, text) or (entry.field.role in ("to", "cc") and _before_field(context, at))


def _lists_on(value: str, text: str) -> bool:
    """Whether a line goes on with the mailboxes of the value above it."""
    if value.endswith((",", ";")) or value.count("<") > value.count(">") or text[:1] in " \t":
        return True
    if not has_address(text):
        return False
    hyphen = value.endswith("-") and not value.endswith(" -")
    # "…, Mari" / "Maasikas <mari@…>": a list whose last mailbox is a name, and the line goes on with an address.
    last = re.split(r"[;,](?![^<\[]*[>\]])", value)[-1]
    if has_address(value) and last.strip() and not has_address(last) and last != value:
        return begins_list(text)
    return hyphen or (not has_address(value) and len(text) <= 120 and text.lstrip()[:1] != "-")


def _before_field(context: Context, at: int) -> bool:
    """Whether a known header field follows line `at` within a few lines: what stands between is a wrapped list."""
    depth = context.lines[at].depth
    for after in range(at + 1, min(at + 4, len(context.lines))):
        if context.blank(after) or context.lines[after].depth != depth:
            return False
        field = context.field(after)
        if field is not None and field.role is not None:
            return field.role in ("cc", "bcc", "subject", "date")
    return False


def _goes_on(context: Context, value: str, text: str) -> bool:
    """Whether a subject's second line is what a subject around it has there."""
    begun = core(value, context.vocabulary)
    joined = core(f"{value} {text.strip()}", context.vocabulary)
    hyphened = core(f"{value}{text.strip()}", context.vocabulary)
    for subject in context.subjects:
        whole = core(subject, context.vocabulary)
        if (
            len(begun) >= 5
            and whole != begun
            and whole.startswith(begun)
            and (whole.startswith((joined, hyphened)) or joined == whole)
        ):
            return True
    return False


def _extend(context: Context, entry: Entry, at: int) -> None:
    text = context.lines[at].text.strip()
    # A name folded at its hyphen is one word again; a dash between words keeps its space.
    hyphen = entry.value.endswith("-") and not entry.value.endswith(" -") and text[:1].isalpha()
    entry.value = f"{entry.value}{'' if hyphen else ' '}{text}".strip()
    entry.kind = kind_of(entry.value) if entry.kind != "address" else "address"
    entry.last = at


def past_others(context: Context, end: int) -> int:
    """The line behind fields like "Importance: High" that close a header block."""
    while end < len(context.lines) and not context.blank(end):
        field = context.field(end)
        if field is None or field.known is None or field.known.role not in ("other", "reply_to", "bcc"):
            break
        end += 1
    return end


def run_on(context: Context, index: int) -> list[str]:
    """The values of the other lines with the label of line `index`: subjects that run on into bodies as it may."""
    own = context.field(index)
    if own is None:
        return []
    values: list[str] = []
    for at in range(max(0, index - 40), min(index + 40, len(context.lines))):
        if at == index or context.lines[at].glued is None:
            continue
        field = context.field(at)
        if field is not None and field.role == "subject" == own.role:
            values.append(field.value)
    return values[:8]
