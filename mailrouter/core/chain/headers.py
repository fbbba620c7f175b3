"""Header blocks: a run of "label: value" lines that says who wrote a mail, when, to whom, about what.

Found by shape in any language: an author's address, a date with a time, recipients, a subject, in an order that mail
programs print. Known labels settle roles and raise confidence. Invariant: a form, a parcel notice or a timetable has
not all of that and is no header.
"""

import re
from dataclasses import dataclass, replace

from mailrouter.core.chain import blocks
from mailrouter.core.chain.blocks import Entry
from mailrouter.core.chain.context import Context
from mailrouter.core.chain.fields import kind_of
from mailrouter.core.chain.flat import part_subject
from mailrouter.core.chain.mailboxes import decode_words, has_address, parse_author, parse_list, part_list
from mailrouter.core.chain.subjects import core, related
from mailrouter.core.dates import find_sent, parse_sent
from mailrouter.core.message import Address


@dataclass(frozen=True, slots=True)
class Header:
    """What a block or an attribution line says, and the lines it stands on."""

    author: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    sent_raw: str
    sent: str | None
    start: int  # first line
    end: int  # the line behind it
    tail: str  # body text that stood behind the subject on the same line
    confidence: float
    titled: bool = False  # author, subject, date: the order of a program that always prints a title above


def read_header(context: Context, index: int, *, separated: bool) -> Header | None:
    """The header block that begins at line `index`, or None. `separated`: a separator line stands above it."""
    entries = blocks.collect(context, index)
    if len(entries) < 2:
        return None
    roles = _assign(context, entries, separated=separated)
    if roles is None or _odd(roles):
        bare = [replace(entry, field=replace(entry.field, role=None, known=None)) for entry in entries]
        roles = _assign(context, bare, separated=separated) or roles
    if roles is None or _occasion(entries):
        return None
    roles = _dated_author(roles)
    if "from" not in roles:
        return _notes(context, index, roles)
    form = any(entry.field.known is not None and entry.field.known.role == "form" for entry in entries)
    if form and "subject" not in roles and not separated:
        return None
    confidence = _confidence(context, roles, separated=separated)
    header = _header(context, roles, index, confidence) if confidence else None
    return header if header is None or "date" in roles else _dated_above(context, header)


def _occasion(entries: list[Entry]) -> bool:
    """Whether two lines under unknown labels are nothing but a date: the begin and the end of a meeting or a shift."""
    spans = [(entry, find_sent(entry.value)) for entry in entries if entry.field.known is None and entry.kind == "date"]
    return sum(span is not None and len(entry.value) - (span[1] - span[0]) <= 4 for entry, span in spans) >= 2


def _dated_above(context: Context, header: Header) -> Header:
    """A header without a date line, with the date of the line right above it: "Message du 20/02/24 19:12"."""
    above = header.start - 1
    if above < 0 or context.blank(above) or context.lines[above].depth != context.lines[header.start].depth:
        return header
    text = context.lines[above].text.strip()
    span = find_sent(text) if len(text) <= 80 and context.figure(above) else None
    if span is None or span[1] < len(text.rstrip(" :")) or len(text[: span[0]].split()) > 3:
        return header
    raw = text[span[0] : span[1]]
    sent = parse_sent(raw)
    return replace(header, start=above, sent_raw=raw, sent=sent) if "T" in (sent or "") else header


def may_begin(context: Context, index: int) -> bool:
    """Whether line `index` can be the first of a header block: a cheap look before `read_header`."""
    field = context.field(index)
    if field is None:
        return False
    if field.role is not None:
        # The same label twice in a row, a thousand times over, is looked at once each.
        after = context.next_text(index + 1, 4)
        following = context.field(after) if after is not None else None
        if after is not None and following is None and field.kind == "empty":  # the value has a line of its own
            after = context.next_text(after + 1, 4)
            following = context.field(after) if after is not None else None
        return following is None or following.role != field.role
    if field.known is not None:
        return False
    if field.kind != "text":
        return field.kind in ("address", "date") or (field.kind == "empty" and _alternates(context, index))
    after = context.next_text(index + 1, 2)
    following = context.field(after) if after is not None else None
    return following is not None and (following.kind == "date" or following.role == "date")


def _alternates(context: Context, index: int) -> bool:
    """Whether labels and values take turns from line `index` on, each on a line of its own, the first two telling a mail."""
    if index + 3 >= len(context.lines) or context.blanks[index + 1] or context.blanks[index + 3]:
        return False
    second = context.field(index + 2)
    if second is None or second.kind != "empty":
        return False
    values = {kind_of(context.lines[at].text.strip()) for at in (index + 1, index + 3)}
    return bool(values & {"address", "date"}) and values <= {"address", "date", "text"}


def _assign(context: Context, entries: list[Entry], *, separated: bool) -> dict[str, Entry] | None:
    """The entry of each role, or None if the lines cannot be one header."""
    roles: dict[str, Entry] = {}
    known = {entry.field.role for entry in entries}
    texts: list[Entry] = []
    when = _likeliest_date(entries)
    for position, entry in enumerate(entries):
        field = entry.field
        if field.role is not None:
            if not _fits(field.role, entry):
                return None
            roles[field.role] = entry
            continue
        if field.known is not None:  # "other" goes along inside the block, "form" ends it
            if field.known.role == "form":
                break
            continue
        if {"from", "date", "to", "subject"} <= roles.keys() and not _copied(entries, position, roles):
            break
        role = _by_kind(entry, roles, known, when)
        if role is not None:
            roles[role] = entry
        elif entry.kind in ("text", "figure", "date", "day") or "date" in roles:
            texts.append(entry)
    return _settle(context, entries, roles, texts, separated=separated)


def _copied(entries: list[Entry], position: int, roles: dict[str, Entry]) -> bool:
    """Whether a line behind a whole header can still be its copies: mailboxes below mailboxes, or names below names."""
    kind = entries[position].kind
    names = kind == "text" and roles["subject"] is entries[0] and roles["to"] is entries[position - 1]
    return kind == entries[position - 1].kind and (kind == "address" or names)


def _dated_author(roles: dict[str, Entry]) -> dict[str, Entry]:
    """The roles with the date told apart that Notes prints behind the author, "From: A B      02/01/2024 09:00"."""
    author = roles.get("from")
    if author is None or author.kind != "text" or "date" in roles:
        return roles
    span = find_sent(author.value)
    if span is None or span[0] == 0 or span[1] < len(author.value.rstrip()):
        return roles
    name, when = author.value[: span[0]].strip(), author.value[span[0] :].strip()
    return roles | {"from": replace(author, value=name), "date": replace(author, value=when, kind="date")}


def _odd(roles: dict[str, Entry]) -> bool:
    """Whether known labels say what no program prints: an unknown language has a word that means another thing elsewhere."""
    if "from" not in roles or all(entry.field.role is not None for entry in roles.values()):
        return False
    others = [roles[role] for role in ("to", "cc") if role in roles]
    late = any(entry.first < roles["from"].first for entry in others)
    return late or (roles["from"].kind != "address" and any(entry.kind == "address" for entry in others))


def _fits(role: str, entry: Entry) -> bool:
    """Whether a value can stand behind a known label: times are no authors and addresses no dates."""
    if role in ("from", "to", "cc"):
        return entry.kind not in ("date", "day", "figure")
    return role != "date" or entry.kind != "address"


def _likeliest_date(entries: list[Entry]) -> Entry | None:
    """Of the lines under unknown labels that hold a date the one that holds little else: a subject may hold one too."""
    dated = [entry for entry in entries if entry.field.known is None and entry.kind in ("date", "day")]
    if len(dated) <= 1:
        return dated[0] if dated else None

    def surplus(entry: Entry) -> tuple[bool, int]:
        start, end = find_sent(entry.value) or (0, 0)
        return entry.kind != "date", len(entry.value) - (end - start)

    return min(dated, key=surplus)


def _by_kind(entry: Entry, roles: dict[str, Entry], known: set[str | None], when: Entry | None) -> str | None:
    """The role of a line whose label nobody knows: every program prints the author before the recipients."""
    if entry.kind in ("date", "day"):
        return "date" if entry is when and "date" not in roles and "date" not in known else None
    if entry.kind == "address":
        for role in ("from", "to", "cc", "bcc"):
            if role not in roles and role not in known:
                return role
    return None


def _settle(
    context: Context, entries: list[Entry], roles: dict[str, Entry], texts: list[Entry], *, separated: bool
) -> dict[str, Entry] | None:
    """Give the lines of plain text their roles: the subject, and names without addresses."""
    first = entries[0]
    addressed = any(entry.kind == "address" for entry in roles.values())
    leads = not addressed and (
        roles.get("subject") is first or (first in texts and len(entries) > 1 and entries[1].kind == "date")
    )
    if not leads:
        texts = [entry for entry in texts if "subject" not in roles or entry.first < roles["subject"].first]
    if "subject" not in roles and texts:
        kin = [entry for entry in texts if _kin(context, entry)]
        named = "from" in roles
        if not named and not ((kin and texts[-1] in kin) or separated):
            return None
        last = texts[0] if leads else texts[-1]
        subject = kin[-1] if kin else last if not named or texts[0] is entries[0] else texts[0]
        roles["subject"] = subject
        texts = [entry for entry in texts if entry is not subject]
    if "date" in roles:
        # Names alone: the line before the date is the author's, those between date and subject the recipients'.
        # Where the subject leads, author and recipients stand below the date.
        below = ("from", "to", "cc") if leads else ("to", "cc")
        end = entries[-1] if leads else roles.get("subject", entries[-1])
        for entry in texts:
            order = ("from",) if entry.first < roles["date"].first else below
            free = [role for role in order if role not in roles]
            if free and entry.first < end.last + 1:
                roles[free[0]] = entry
    if not roles or entries[0] not in roles.values():
        return None
    return roles


def _kin(context: Context, entry: Entry) -> bool:
    """Whether a value is the subject of a mail around it, or begins with it where it runs on into the body."""
    if context.lines[entry.first].glued is not None:
        mine = core(entry.value)
        return any(len(core(other)) >= 5 and mine.startswith(core(other)) for other in context.subjects)
    return any(related(entry.value, other) for other in context.subjects)


def _confidence(context: Context, roles: dict[str, Entry], *, separated: bool) -> float:
    """How sure it is that the lines are a mail's header, 0 if they are not."""
    author, when = roles["from"], roles.get("date")
    subject, to = roles.get("subject"), roles.get("to")
    addressed = author.kind == "address" or (to is not None and to.kind == "address" and subject is not None)
    known = sum(entry.field.role is not None for entry in roles.values())
    kin = subject is not None and _kin(context, subject)
    timed = when is not None and when.kind == "date"
    plain = when is not None and when.kind in ("text", "empty")  # a known label, an unreadable date
    hint = separated or kin
    if author.kind == "empty" and not separated:
        return 0
    if not addressed:
        titled = subject is not None and subject.field.role is not None
        # Programs that print no addresses print the date before the recipients; journeys and transfers have it behind.
        ordered = to is not None and when is not None and when.first < to.first
        sure = timed and subject is not None and (hint or (ordered and titled and known >= 3))
    elif known >= 2 and author.field.role is not None:
        sure = (
            (when is not None and not plain and (to is not None or hint or (subject is not None and timed)))
            or (to is not None and subject is not None and (known >= 3 or hint))
            or (separated and (to is not None or subject is not None))
        )
    else:
        other = subject is not None or (to is not None and to.kind == "address")
        sure = other and ((timed and (to is not None or hint)) or (hint and when is not None))
        sure = sure or (separated and other)
    if not sure:
        return 0
    return _graded(known, len(roles), (addressed, timed, hint))


def _graded(known: int, size: int, signs: tuple[bool, ...]) -> float:
    return round(min(0.99, 0.5 + 0.25 * known / max(size, 1) + 0.08 * sum(signs)), 2)


def _header(context: Context, roles: dict[str, Entry], index: int, confidence: float) -> Header:
    subject, when, author = roles.get("subject"), roles.get("date"), roles["from"]
    tail, title = "", ""
    if subject is not None:
        title = " ".join(decode_words(subject.value).split())
        if _on_one_line(context, author.first, subject):
            title, tail = part_subject(
                title, context.subjects, blocks.run_on(context, subject.first), context.vocabulary
            )
    last = max(roles.values(), key=lambda entry: entry.first)
    recipients = {role: entry.value for role, entry in roles.items() if role in ("to", "cc")}
    for role, value in recipients.items():
        if roles[role] is last and _on_one_line(context, author.first, last):
            recipients[role], tail = part_list(value)
    language = _language(roles)
    end = max(entry.last for entry in roles.values()) + 1
    return Header(
        author=parse_author(author.value, context.vocabulary),
        to=parse_list(recipients.get("to", "")),
        cc=parse_list(recipients.get("cc", "")),
        subject=title,
        sent_raw=when.value if when is not None else "",
        sent=parse_sent(when.value, language) if when is not None else None,
        start=index,
        end=blocks.past_others(context, end),
        tail=tail,
        confidence=confidence,
        titled=subject is not None and when is not None and author.first < subject.first < when.first,
    )


def _on_one_line(context: Context, first: int, subject: Entry) -> bool:
    """Whether author and subject stood on one physical line, so that nothing tells where the subject ends."""
    return first < subject.first and all(
        line.glued is not None for line in context.lines[first + 1 : subject.first + 1]
    )


def _language(roles: dict[str, Entry]) -> str | None:
    counts: dict[str, int] = {}
    for entry in roles.values():
        if entry.field.known is not None:
            for language in entry.field.known.languages:
                counts[language] = counts.get(language, 0) + 1
    return max(sorted(counts), key=lambda language: counts[language]) if counts else None


def _notes(context: Context, index: int, roles: dict[str, Entry]) -> Header | None:
    """Lotus Notes: the author's name and the date stand bare above "To:", "cc:" and "Subject:"."""
    if "subject" not in roles or not {"to", "cc"} & roles.keys() or "date" in roles:
        return None
    found = _above(context, index)
    for position, line in enumerate(found):
        text = context.lines[line].text.strip()
        span = find_sent(text) if len(text) <= 100 else None
        if span is None or "T" not in (parse_sent(text[span[0] : span[1]]) or ""):
            continue
        # The name stands on the line above the date, or before it: '"A B" <a@b> on 02/01/2024 09:00'.
        name, first = re.sub(r"\s(?:on|am|le|den|,)?\s*$", "", f"{text[: span[0]]} "), line
        if not name.strip():
            first = found[position + 1] if position + 1 < len(found) else index
            name = context.lines[first].text.strip()
        if first == index or not _names_someone(name):
            return None
        header = _header(context, roles | {"from": roles["subject"]}, first, 0.8)
        raw = text[span[0] : span[1]]
        return replace(
            header, author=parse_author(name, context.vocabulary), sent_raw=raw, sent=parse_sent(raw), tail=""
        )
    return None


def _above(context: Context, index: int) -> list[int]:
    """The last three lines above line `index` that are not blank, nearest first, without "Sent by: …"."""
    found: list[int] = []
    for at in range(index - 1, max(-1, index - 9), -1):
        field = None if context.blank(at) else context.field(at)
        if not context.blank(at) and (field is None or field.known is None or field.known.role != "other"):
            found.append(at)
    return found[:3]


def _names_someone(text: str) -> bool:
    words = text.split()
    if has_address(text):
        return len(words) <= 8
    return 1 <= len(words) <= 6 and words[0][0].isupper() and not text.rstrip().endswith((".", ":", ",", "!", "?"))
