"""Who writes to whom: the signature block, the letterhead and the addressee's block.

Invariant: names and roles are as printed, without titles before names; what is not printed is None.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailrouter.core.letter.broken import whole_names
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.layout import Layout, Line, is_prose
from mailrouter.core.letter.letters import Party
from mailrouter.core.letter.marks import labelled, printed_mark
from mailrouter.core.letter.names import (
    has_title,
    is_contact,
    is_institution,
    is_name,
    is_role,
    mailboxes,
    named_line,
    outranks,
    role_and_institution,
    without_contact,
    without_titles,
)
from mailrouter.core.letter.phrases import phrases
from mailrouter.core.letter.places import is_place
from mailrouter.core.letter.signatures import ends_signature, runs_on, signature


@dataclass(frozen=True, slots=True)
class Parties:
    """Both sides of a letter."""

    author: Party
    addressee: Party


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together: one party's name, role, institution, address."""

    lines: tuple[Line, ...]
    party: Party
    labelled_to: bool = False
    labelled_from: bool = False
    titled: bool = False


def parties(layout: Layout, titles: Sequence[Line] = ()) -> Parties:
    """The author from the signature and the letterhead, the addressee from its block, the salutation or the body.

    `titles` are the lines of the letter's title, which name no party.
    """
    signer = signature(layout.tail, layout.closing)
    head = whole_names([line for line in layout.head if line not in titles])
    blocks = [*_blocks(_signer_apart(head, signer)), *_foot_blocks(layout.body)]
    blocks = [*_unknown_letterhead(head, blocks, signer), *blocks]
    blocks += _tail_blocks(layout.tail, signer) if not any(block.titled for block in blocks) else []
    salutation = layout.salutation.text if layout.salutation else ""
    verbale = note_verbale(layout.body, layout.head)
    addressee_block = _addressee_block(blocks, signer, salutation)
    letterhead = _letterhead(blocks, signer, addressee_block)
    author = _author(signer, letterhead)
    if author.role is None and author.name:
        author = replace(author, role=_office(blocks, addressee_block))
    if author.role and not author.institution and head:
        author = replace(author, institution=_top_line(head[0], addressee_block))
    addressee = addressee_block.party if addressee_block else Party()
    addressee = _with_salutation(addressee, salutation)
    if verbale:
        author = replace(author, institution=author.institution or verbale[0])
        addressee = replace(addressee, institution=verbale[1])
    return Parties(author, addressee)


def _unknown_letterhead(head: Sequence[Line], blocks: Sequence[_Block], signer: Party) -> list[_Block]:
    """The top line of an official's letter as a block, where no word of it says that it is an institution."""
    if not head or not signer.role or any(head[0] in block.lines for block in blocks):
        return []
    top = None if is_place(head[0].text) or phrases().not_name.search(head[0].folded) else _top_line(head[0], None)
    return [_Block((head[0],), Party(institution=top))] if top else []


def _office(blocks: Sequence[_Block], addressee: _Block | None) -> str | None:
    """The role that a letterhead prints above the addressee without a name: "The Acting Director"."""
    at = blocks.index(addressee) if addressee in blocks and addressee else len(blocks) if addressee else 0
    roles = (b.party.role for b in reversed(blocks[:at]) if not b.party.name and not b.labelled_to and not b.titled)
    return next((role for role in roles if role), None)


_ARTICLE = re.compile(r"^(?:the|l'|la|le|les|die|das|der)\b\s*|^l'", re.IGNORECASE)


def note_verbale(body: Sequence[Line], head: Sequence[Line]) -> tuple[str, str] | None:
    """(author's, addressee's institution) of a note verbale: "The Embassy of … presents its compliments to …"."""
    known = phrases()
    for zone in (body[:12], (*head, *body)[:12]):
        if not any(known.verbale_words.may_be_in(line.folded) for line in zone):
            continue
        text = " ".join(line.text for line in zone)
        folded = flat(text)
        for pattern in known.verbale if known.verbale_words.search(folded) else ():
            match = pattern.search(folded)
            if match:
                sides = (text[slice(*match.span(side))].strip(" ,") for side in ("author", "addressee"))
                author, addressee = (_ARTICLE.sub("", side.replace("’", "'")) for side in sides)
                return author, addressee
    return None


def _signer_apart(head: Sequence[Line], signer: Party) -> list[Line]:
    """The head with the signer's name on a line of its own, where an address was printed beside it."""
    apart: list[Line] = []
    name = flat(signer.name or "")
    for line in head:
        if name and line.folded.startswith(name + " ") and not named_line(line.text):
            apart.append(Line(line.text[: len(name)], name, line.gap, line.page, line.bold))
        else:
            apart.append(line)
    return apart


def _tail_blocks(tail: Sequence[Line], signer: Party) -> list[_Block]:
    """An addressee's block at the foot of a letter of one page, under the signature: titled, or role and country."""
    groups: list[list[Line]] = []
    beyond = False  # lists of annexes and copies stand before it, and are none
    for line in tail:
        beyond = (beyond and not line.gap) or ends_signature(line)
        if beyond:
            continue
        if line.gap or not groups or (named_line(line.text) and has_title(line.text)):
            groups.append([])
        groups[-1].append(line)
    blocks = []
    for group in groups:
        if _said_of(group[0], None)[0] == "to" and (block := _block(group)):
            blocks.append(block)
            continue
        person = named_line(group[0].text)
        addressed = person and (has_title(group[0].text) or (person.role and group[0].text.count(",") > 1))
        block = _block(group) if addressed and person and not _same_person(person.name, signer.name) else None
        if block and block.party.role:
            blocks.append(replace(block, titled=True))
    return blocks


def _blocks(head: Sequence[Line]) -> list[_Block]:
    """The head's lines as parties, one block for each; numbers, dates and marks are left out."""
    spaced = any(line.gap for line in head[1:])
    groups: list[list[Line]] = []
    for _at, line in enumerate(head):
        starts = line.gap or not groups or _starts_party(line, groups[-1], spaced=spaced, first=len(groups) == 1)
        passed = (
            _OTHER_LABEL.match(line.text)
            or printed_mark(line)
            or labelled(line, ("ours", "theirs", "date", "subject", "copy", "restriction", "executor", "annex"))
        )
        if passed and not labelled(line, ("to", "from")):
            groups.append([])
            continue
        if starts and not (groups and not groups[-1]):
            groups.append([])
        groups[-1].append(line)
    blocks = [block for group in groups if group and (block := _block(group))]
    return _joined(blocks)


_OTHER_LABEL = re.compile(r"^[^\W\d][^:.,]{2,28}:\s")  # "Esindaja: …"


def _joined(blocks: Sequence[_Block]) -> list[_Block]:
    """Blocks that white space tore apart put together: a name alone, and the role alone that follows it."""
    joined: list[_Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        party = block.party
        alone = last and last.party.name and not last.party.role and not last.party.institution
        reached = last is not None and any(is_contact(line.text) for line in last.lines)  # a whole block of its own
        if last and alone and party.role and not party.name and not reached:
            whole = replace(party, name=last.party.name)
            joined[-1] = replace(last, lines=(*last.lines, *block.lines), party=whole)
        else:
            joined.append(block)
    return joined


def _starts_party(line: Line, group: Sequence[Line], *, spaced: bool, first: bool) -> bool:
    """Whether a line begins another party though no gap stands above it: a second person, or a "To:"."""
    if line.folded in {"a", "an", "to"}:  # "Le Directeur général / à / Madame la Ministre"
        return bool(group)
    if labelled(line, ("to", "from")):
        return any(named_line(other.text) or labelled(other, ("to", "from")) for other in group)
    if (
        group
        and not spaced
        and outranks(line.text, group[0].text)
        and any(is_institution(other.text) for other in group)
    ):
        return True  # the sender's university, then the ministry that it writes to
    person = named_line(line.text)
    if person is None or (spaced and not has_title(line.text)):
        return False
    if spaced or (not first and all(is_institution(other.text) for other in group)):
        return any(named_line(other.text) for other in group)
    return any(named_line(other.text) or is_contact(other.text) or is_institution(other.text) for other in group)


def _block(group: Sequence[Line]) -> _Block | None:
    """A group of head lines as a party; None if it names nobody."""
    name: str | None = None
    role: str | None = None
    institution: str | None = None
    to = sender = titled = False
    for at, line in enumerate(group):
        kind, text = _said_of(line, group[at + 1] if at + 1 < len(group) else None)
        to, sender = to or kind == "to", sender or kind == "from"
        person = named_line(text)
        if person and name is None:
            name, titled = person.name, titled or has_title(text)
            role, institution = role or person.role, institution or person.institution
        elif person and name and not kind:
            break  # a second person
        elif role and runs_on(role, text):
            role = f"{role} {text}"
        elif is_role(text) and role is None and not is_contact(text):
            role, found = role_and_institution(_without_address(text))
            institution = institution or found
        elif is_institution(text) and not mailboxes(text) and (institution is None or outranks(text, institution)):
            institution = without_titles(_STREET_BEHIND.sub("", text))
        elif titled and role is None and institution is None and _unknown_role(text, group[at:]):
            role = text
    if to and not (name or role or institution):
        institution = text  # "To: Delegations"
    if not (name or role or institution):
        return None
    return _Block(tuple(group), Party(name=name, role=role, institution=institution), to, sender, titled)


def _unknown_role(text: str, lines: Sequence[Line]) -> bool:
    """Whether a line between a person with a title and an institution is a role that no list knows."""
    plain = not (is_contact(text) or is_place(text) or re.search(r"[\d@]", text)) and " " in text
    return plain and len(lines) > 1 and is_institution(lines[1].text)


def _said_of(line: Line, following: Line | None) -> tuple[str, str]:
    """("to" or "from" where a line says so, else "", its words of the party)."""
    label = labelled(line, ("to", "from"), following=following)
    kind, text = (label.kind, label.value) if label else ("", line.text)
    opened = phrases().to_open.match(line.folded) if not label else None
    if opened:
        kind, text = "to", line.text[opened.end() :].strip() or text
    return kind, _WIDE.split(without_contact(text), maxsplit=1)[0]


_STYLE = re.compile(r"^(?:The Hon(?:ou)?rable|(?:His|Her) Excellency,?(?: the)?|H\.\s?E\.(?: the)?)\s+", re.IGNORECASE)
_ADDRESS = re.compile(
    r"^(?:Frau|Herrn?|(?:Madame|Mme)(?: la)?|(?:Monsieur|M\.)(?: le)?|proua|härra|hr|pr|Rouva|Herra)\s+", re.IGNORECASE
)
_WIDE = re.compile(r"\t|\s{4,}")  # what stands beside the name


def _without_address(text: str) -> str:
    """A role without the courtesy before it: "Frau Ministerialdirektorin", "The Honourable Minister"."""
    bare = _ADDRESS.sub("", _STYLE.sub("", text))
    return bare if is_role(bare) else text


_STREET_BEHIND = re.compile(r",[^,]*\d.*$")  # "Ministry of the Interior, Pikk 61, Tallinn"


def _foot_blocks(body: Sequence[Line]) -> list[_Block]:
    """An addressee that stands inside the running text, at the foot of page one."""
    blocks = []
    for line in body:
        if line.text[-1:] in ".;" or is_prose(line):
            continue
        person = named_line(line.text)
        if person and person.role:
            blocks.append(
                _Block((line,), Party(name=person.name, role=person.role, institution=person.institution), titled=True)
            )
    group = addressee_at_foot(body)
    block = _block(group) if group else None
    return [*blocks, replace(block, titled=True)] if block else blocks


def addressee_at_foot(body: Sequence[Line]) -> Sequence[Line]:
    """The lines of an addressee at the foot of page one: a person with a title, the role or institution, an address."""
    for at, line in enumerate(body[:-2]):
        if not line.gap or is_prose(line) or not has_title(line.text) or not named_line(line.text):
            continue
        rest = body[at + 1 :]
        count = next((n for n, other in enumerate(rest) if other.gap or other.page != line.page), len(rest))
        texts = [other.text for other in rest[:count]]
        if (
            count > 1
            and any(is_role(text) or is_institution(text) for text in texts)
            and not any(map(is_prose, rest[:count]))
        ):
            return body[at : at + 1 + count]
    return ()


def _addressee_block(blocks: Sequence[_Block], signer: Party, salutation: str) -> _Block | None:
    """The block that the letter is written to."""
    best: tuple[int, int] | None = None
    chosen = None
    others = [b for b in blocks if not b.labelled_from and not _same_person(b.party.name, signer.name)]
    for at, block in enumerate(others):
        score = _addressee_score(block, at, len(others), signer, salutation)
        if score > 0 and (best is None or (score, at) > best) and not (chosen and _beside(chosen, block)):
            best, chosen = (score, at), block
    return chosen


def _beside(first: _Block, second: _Block) -> bool:
    """Whether two blocks are addressees one under the other: the first is the letter's."""
    bare = all(b.party.institution and not b.party.name and not b.party.role for b in (first, second))
    return bare and not first.labelled_to and not second.labelled_to and len(first.lines) == 1


def _addressee_score(block: _Block, at: int, count: int, signer: Party, salutation: str) -> int:
    """How much a block looks like the addressee's; 0 or less: it is not."""
    party = block.party
    if _same_person(party.name, signer.name) or block.labelled_from:
        return 0
    score = 10 * block.labelled_to + 4 * block.titled
    surname = flat((party.name or "").split()[-1]) if party.name else ""
    score += 6 * bool(surname and surname in flat(salutation))
    score += 3 * bool(party.role) + 2 * bool(party.name)
    score += 2 * (at > 0) + (at == count - 1)
    if party.name and not (block.labelled_to or block.titled) and _is_executor(block):
        score -= 6
    same = bool(party.institution and signer.institution and flat(party.institution) == flat(signer.institution))
    if at == 0 and count > 1 and not (block.labelled_to or block.titled):
        score -= 4
    if at == 0 and count == 1 and not (party.name or party.role or block.labelled_to):
        score = -1 if signer.role or not signer.name else 1
    return -1 if same else score


def _is_executor(block: _Block) -> bool:
    """Whether a person's telephone and mailbox are printed with the name: then answers go there, no letter does."""
    texts = [line.text for line in block.lines]
    return any(map(mailboxes, texts)) and any(is_contact(text) and not mailboxes(text) for text in texts)


def _letterhead(blocks: Sequence[_Block], signer: Party, addressee: _Block | None) -> _Block | None:
    """The sender's own block: the signer's, or the first that is not the addressee's."""
    others = [block for block in blocks if block is not addressee]
    for block in others:
        if block.labelled_from or _same_person(block.party.name, signer.name):
            return block
    at = blocks.index(addressee) if addressee else len(blocks)
    before = [block for block in blocks[:at] if block.party.institution]
    return before[0] if before else None


def _same_person(one: str | None, other: str | None) -> bool:
    """Whether two prints name one person: the same words in any order, a second given name more or less."""
    if not one or not other:
        return False
    shorter, longer = sorted((set(flat(one).split()), set(flat(other).split())), key=len)
    return len(shorter) > 1 and shorter <= longer


_OF_INSTITUTION = re.compile(
    r"\b(?:member of|membre de|mitglied der|mitglied des)\s+(?:the|la|l'|le)?\s*(.+)$", re.IGNORECASE
)


def _top_line(line: Line, addressee: _Block | None) -> str | None:
    """The first line of an official's letter, an institution though no word of it says so."""
    if phrases().office.fullmatch(line.folded):
        return line.text
    taken = bool(addressee and line in addressee.lines) or bool(named_line(line.text) or is_contact(line.text))
    other = labelled(line, tuple(phrases().labels)) or is_role(line.text) or re.search(r"\d", line.text)
    return None if taken or other or phrases().marking.fullmatch(line.folded) else line.text


def _author(signer: Party, letterhead: _Block | None) -> Party:
    """The signer, completed from the letterhead."""
    head = letterhead.party if letterhead else Party()
    said = letterhead is not None and letterhead.labelled_from and not head.name
    own = said or _same_person(head.name, signer.name) or not signer.name
    role = signer.role or (head.role if own else None)
    member = _OF_INSTITUTION.search(role or "")
    institution = head.institution or signer.institution or (member.group(1) if member else None)
    return Party(name=signer.name or head.name, role=role, institution=institution)


def _with_salutation(addressee: Party, salutation: str) -> Party:
    """An addressee whose name stands only in the salutation: "Dear Minister Läänemets"."""
    if addressee.name or addressee.role or not salutation:
        return addressee
    match = phrases().salutation.match(flat(salutation))
    rest = salutation[match.end() :].strip(" ,!:") if match else ""
    bare = without_titles(rest)
    if is_name(bare):
        return replace(addressee, name=bare)
    return addressee
