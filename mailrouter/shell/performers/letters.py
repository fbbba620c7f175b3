"""Effects as mails: what each kind says in its headers and carries along.

Invariant: the Message-ID derives from the effect's key; From and the envelope sender are the mailbox's own address.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mailrouter.core.containers import Limits, open_parts
from mailrouter.core.effects import (
    OWN_DATE,
    OWN_NUMBER,
    AutoReplyEffect,
    ForwardEffect,
    NotifyEffect,
    RemindEffect,
    message_id,
)
from mailrouter.core.message import Address, parse
from mailrouter.settings import Mailbox
from mailrouter.shell import mime
from mailrouter.shell.errors import Permanent
from mailrouter.shell.performers.interface import Desk
from mailrouter.shell.store.drafts import Draft


def message_id_of(key: str, mailbox: Mailbox) -> str:
    """The Message-ID of what an effect with this key sends from this mailbox."""
    return message_id(key, mailbox.address.rsplit("@", 1)[-1])


def own_address(mailbox: Mailbox) -> Address:
    """The From of everything that the mailbox sends."""
    return Address("", mailbox.address)


def forward_mail(
    key: str, effect: ForwardEffect, to: Sequence[Address], mailbox: Mailbox, original: bytes, at: datetime, loop: str
) -> bytes:
    """A fresh message with the adviser's note above and the original attached whole."""
    return mime.build_forward(
        from_=own_address(mailbox),
        to=to,
        cc=effect.cc,
        subject=effect.content.subject,
        text=effect.content.text,
        html=effect.content.html,
        message_id=message_id_of(key, mailbox),
        date=at,
        original=original,
        mode=effect.mode,
        headers=(("X-Mailrouter-Loop", loop), ("Auto-Submitted", "auto-generated")),
    )


def automatic_mail(
    key: str, effect: AutoReplyEffect | NotifyEffect | RemindEffect, mailbox: Mailbox, at: datetime, loop: str
) -> bytes:
    """An automatic reply (RFC 3834 § 5), a notice or a reminder to colleagues."""
    reply = isinstance(effect, AutoReplyEffect)
    ics = effect.ics if isinstance(effect, NotifyEffect) else ""
    return mime.build_mail(
        from_=own_address(mailbox),
        to=effect.to,
        cc=(),
        subject=effect.content.subject,
        text=effect.content.text,
        html=effect.content.html,
        message_id=message_id_of(key, mailbox),
        date=at,
        in_reply_to=effect.in_reply_to if isinstance(effect, AutoReplyEffect) else None,
        references=effect.references if isinstance(effect, AutoReplyEffect) else (),
        attachments=(mime.Attached("events.ics", "text/calendar", ics.encode()),) if ics else (),
        headers=(("X-Mailrouter-Loop", loop), ("Auto-Submitted", "auto-replied" if reply else "auto-generated")),
    )


def carried(draft: Draft, desk: Desk) -> tuple[mime.Attached, ...]:
    """What of the letter's mail goes with a draft: "original", "letter", or an attachment's path with slashes."""
    names = draft.content.content.attachments
    located = desk.store.intake.locate(draft.intake_id) if names and draft.intake_id else None
    raw = desk.store.intake.content(located.sha256 or "") if located else None
    if not names:
        return ()
    case = desk.store.listing.case(draft.intake_id or 0)
    if raw is None or case is None:
        raise Permanent("the mail's content is not kept (erased, or over the size limit): attach it by hand")
    opened = {"/".join(part.attachment.path): part for part in open_parts(parse(raw), Limits()).parts}
    found = []
    for name in names:
        if name == "original":
            found.append(mime.Attached("original.eml", "message/rfc822", raw))
            continue
        path = "/".join(case.letters[0].path) if name == "letter" and case.letters else name
        part = opened.get(path)
        if part is None:
            raise Permanent(f"the mail has no attachment '{name}'; see 'mailrouter messages show'")
        found.append(mime.Attached(part.attachment.name, part.attachment.media_type, part.content))
    return tuple(found)


def draft_mail(draft: Draft, mailbox: Mailbox, at: datetime, attachments: Sequence[mime.Attached] = ()) -> bytes:
    """The draft as it lies in Drafts: `{number}` and `{date}` still open."""
    return _draft(draft, mailbox, at, attachments)


def outgoing_mail(draft: Draft, mailbox: Mailbox, at: datetime, attachments: Sequence[mime.Attached] = ()) -> bytes:
    """The approved draft as it goes out: the answer's own number and date filled in; it carries no automatic marks."""
    return _draft(own_number_filled(draft), mailbox, at, attachments)


def own_number_filled(draft: Draft) -> Draft:
    """The draft with `{number}` and `{date}` filled, where the answer has them."""
    if not draft.number or not draft.registered:
        return draft
    day = datetime.fromisoformat(draft.registered)

    def filled(text: str) -> str:
        return text.replace(OWN_NUMBER, draft.number or "").replace(OWN_DATE, day.strftime("%d.%m.%Y"))

    content = draft.content.content
    new = replace(content, subject=filled(content.subject), text=filled(content.text), html=filled(content.html))
    return replace(draft, content=replace(draft.content, content=new))


def _draft(draft: Draft, mailbox: Mailbox, at: datetime, attachments: Sequence[mime.Attached]) -> bytes:
    effect = draft.content
    return mime.build_mail(
        from_=own_address(mailbox),
        to=effect.to,
        cc=effect.cc,
        subject=effect.content.subject,
        text=effect.content.text,
        html=effect.content.html,
        message_id=message_id_of(draft.message_key, mailbox),
        date=at,
        in_reply_to=effect.in_reply_to,
        references=effect.references,
        attachments=attachments,
    )
