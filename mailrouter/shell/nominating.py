"""What persons do with drafts: name somebody, change the words or the address, approve.

Invariant: a person whose entry in people.yaml is not valid on the day is neither named nor sent out as named; where one's
validity has ended the draft `needs` a nominee again. Nothing outside is performed here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from email_validator import EmailNotValidError, validate_email

from mailrouter.core.effects import DraftEffect, Text
from mailrouter.core.language import fold
from mailrouter.core.message import Address
from mailrouter.core.nominations import Nominee, Topic, nominee_of
from mailrouter.core.people import Directory, Found, Person, expand, find
from mailrouter.core.rules import RuleSet
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.drafts import Draft
from mailrouter.shell.store.store import Store

_OPEN = "{nominee."
_PARTICULARS = ("name", "function", "organisation", "email", "phone")


def fill_draft(
    store: Store,
    draft: Draft,
    *,
    directory: Directory,
    organisation: str,
    who: str,
    at: datetime,
    nominees: Sequence[str] = (),
    to: Sequence[str] = (),
    subject: str | None = None,
    text: str | None = None,
) -> Draft:
    """Fill in or change a draft; Permanent if nothing is given, a person is not known, or an address is none."""
    if not (nominees or to or subject is not None or text is not None):
        raise Permanent("nothing to fill: give --nominee, --to, --subject or --text")
    if subject is not None and (not subject.strip() or len(subject.splitlines()) > 1):
        raise Permanent("a subject is one line of words")
    if text is not None and not text.strip():
        raise Permanent("a draft without words is no answer: reject it with 'mailrouter drafts reject', or give a text")
    content = draft.content
    named = [_nominee(one, directory, organisation, at) for one in nominees]
    if named and text is None:
        content = _named(content, named)
    elif text is not None:
        content = worded(content, text, [one.name for one in named])
    if subject is not None:
        content = replace(content, content=replace(content.content, subject=subject))
    if to:
        content = replace(content, to=tuple(_address(one) for one in to))
    return store.drafts.change(draft.id, content, who=who, at=at, why=f"filled by {who}")


def _named(content: DraftEffect, nominees: Sequence[Nominee]) -> DraftEffect:
    """The nominees' particulars in the places that the template has for them; in order, where several are named."""
    source = content.unnamed or content.content
    if _OPEN not in source.text + source.subject:
        raise Permanent("this draft has no open place for a nominee any more: give its whole text with --text")

    def filled(text: str) -> str:
        if _OPEN not in text:
            return text
        return _filled_block(text, nominees[0]) if len(nominees) == 1 else _merged(text, nominees)

    subject = source.subject if content.unnamed is None else content.content.subject
    words = replace(source, subject=filled(subject), text=filled(source.text), html=filled(source.html))
    return replace(
        content,
        content=words,
        unnamed=source,
        nominees=tuple(one.name for one in nominees),
        needs=tuple(one for one in content.needs if one != "nominee"),
    )


def worded(content: DraftEffect, text: str, named: Sequence[str]) -> DraftEffect:
    """A text of the staff's own; whom it names is remembered, what it leaves open is needed."""
    left = tuple(one for one in content.needs if one != "nominee")
    return replace(
        content,
        content=replace(content.content, text=text, html=""),
        unnamed=None,
        nominees=tuple(one for one in dict.fromkeys((*named, *content.nominees)) if fold(one) in fold(text)),
        needs=(*left, "nominee") if _OPEN in text else left,
    )


def _merged(text: str, nominees: Sequence[Nominee]) -> str:
    """The lines that name the nominee, once for each person, with an empty line between two persons."""
    lines = text.split("\n")
    marked = [index for index, line in enumerate(lines) if _OPEN in line]
    first, last = marked[0], marked[-1]
    block = "\n".join(lines[first : last + 1])
    people = "\n\n".join(_filled_block(block, one) for one in nominees)
    return "\n".join([*lines[:first], people, *lines[last + 1 :]])


def _filled_block(text: str, nominee: Nominee) -> str:
    """A line for something that the directory does not have of the person is left out."""
    missing = [f"{_OPEN}{name}}}" for name in _PARTICULARS if not getattr(nominee, name)]
    text = "\n".join(line for line in text.split("\n") if not any(one in line for one in missing))
    for name in _PARTICULARS:
        text = text.replace(f"{_OPEN}{name}}}", str(getattr(nominee, name)))
    return text


def _nominee(name: str, directory: Directory, organisation: str, at: datetime) -> Nominee:
    found = find(directory, name)
    if not isinstance(found, Found) or found.kind != "person":
        raise Permanent(f"'{name}' is not one person in people.yaml; write the full name as it stands there")
    nominee = nominee_of(
        Topic(topic="", nominee=found.name), directory, on=at.date().isoformat(), organisation=organisation
    )
    if nominee is None:
        raise Permanent(
            f"{found.name} is not valid on {at.date().isoformat()}: see valid_from and valid_until in people.yaml"
        )
    return nominee


def _address(text: str) -> Address:
    try:
        return Address("", validate_email(text, check_deliverability=False, test_environment=True).normalized)
    except EmailNotValidError as error:
        raise Permanent(f"'{text}' is no mail address: {error}") from error


def approve_draft(
    store: Store, draft_id: int, *, ruleset: RuleSet, who: str, at: datetime, named: bool = True
) -> Draft:
    """Approve a draft as it stands; Permanent if the person is not entitled, or whom it names cannot be named any more.

    `named` False: nobody said who approves, so that entitlement cannot be looked at; the login's name is recorded.
    """
    draft = store.drafts.get(draft_id)
    if draft.state == "waiting" and (ended := lapsed(draft, ruleset.directory, at)):
        _reopen(store, draft, ended, at)
        raise Permanent(f"{_ended_words(ended)}: name somebody else with 'mailrouter drafts fill {draft_id} --nominee'")
    approver = draft.content.approver
    if named and approver and not entitled(ruleset.directory, approver, who, at):
        raise Permanent(f"{who} may not approve draft {draft_id}: nominations.yaml entitles {approver}")
    return store.drafts.approve(draft_id, who=who, at=at, classification=ruleset.classification, digest=draft.digest)


def entitled(directory: Directory, approver: str, who: str, at: datetime) -> bool:
    """Whether `who` is the approver, or holds the post, or belongs to the unit or group that is named.

    Where nobody valid is named any more, whoever works with drafts may approve.
    """
    on = at.date().isoformat()
    members, _ = expand(directory, [approver], on=on)
    if not members:
        return True
    found = find(directory, who, on=on)
    addresses = {who.casefold()}
    if isinstance(found, Found) and found.kind in {"person", "role", "address"}:
        addresses |= {(one.address or "").casefold() for one in found.members}
    return any((one.address or "").casefold() in addresses or fold(one.name) == fold(who) for one in members)


def lapsed(draft: Draft, directory: Directory, at: datetime) -> tuple[Person, ...]:
    """Whom the draft names though their entry is not valid on the day."""
    on, words = at.date().isoformat(), fold(draft.content.content.text)
    return tuple(
        person
        for person in directory.people
        if person.name in draft.content.nominees
        and fold(person.name) in words
        and ((person.valid_until and person.valid_until < on) or (person.valid_from and on < person.valid_from))
    )


def reopen_lapsed(store: Store, directory: Directory, at: datetime) -> list[int]:
    """Drafts that name somebody who cannot be named any more need a nominee again, approved or not; their ids."""
    done = []
    for draft in store.drafts.all(["waiting", "approved"]):
        if "nominee" not in draft.content.needs and (ended := lapsed(draft, directory, at)):
            _reopen(store, draft, ended, at)
            done.append(draft.id)
    return done


def _reopen(store: Store, draft: Draft, ended: Sequence[Person], at: datetime) -> None:
    """The places for a nominee are open again, in Drafts too; a text that staff wrote themselves stays as it is."""
    content = replace(draft.content, needs=tuple(dict.fromkeys((*draft.content.needs, "nominee"))))
    if content.unnamed is not None:
        words: Text = replace(content.unnamed, subject=content.content.subject)
        content = replace(content, content=words, nominees=())
    store.drafts.change(draft.id, content, who="mailrouter", at=at, why=_ended_words(ended))


def _ended_words(ended: Sequence[Person]) -> str:
    said = [
        f"{one.name} is valid until {one.valid_until}"
        if one.valid_until
        else f"{one.name} is valid from {one.valid_from}"
        for one in ended
    ]
    return f"whom it names cannot be named any more ({'; '.join(said)})"
