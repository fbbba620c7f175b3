"""Drafts that persons change where they lie: the copy in the Drafts folder is the draft from then on.

Invariant: a person's words are never lost and never go out unseen: a changed copy becomes the draft's text, an approval
falls, and the difference is shown.
"""

import difflib
import re
from dataclasses import replace
from datetime import datetime

from mailrouter.core.message import Message, parse
from mailrouter.settings import Mailbox
from mailrouter.shell.mailboxes.interface import MailboxConnection
from mailrouter.shell.nominating import worded
from mailrouter.shell.store.draft import Draft, digest_of, words_of
from mailrouter.shell.store.store import Store

_CHUNK = 100  # copies fetched and compared together


def look_at_drafts(mailbox: Mailbox, connection: MailboxConnection, store: Store, at: datetime) -> list[int]:
    """Take over what persons changed in Drafts since the last look; the drafts that say something else now.

    Approved drafts are compared when they are sent (performers/sending.py).
    """
    folder = connection.special("drafts") if store.drafts.open_in(mailbox.name)[0] else mailbox.folder
    if folder == mailbox.folder:
        return []
    uidvalidity = connection.state(folder).uidvalidity
    place = store.sentbox.place(mailbox.name, folder, uidvalidity) or 0
    uids = connection.uids(folder, uidvalidity, place)
    changed = []
    for start in range(0, len(uids), _CHUNK):
        copies = connection.fetch(folder, uidvalidity, uids[start : start + _CHUNK], mailbox.size_limit)
        messages = {message.message_id or "": message for message in (parse(one.raw) for one in copies if one.whole)}
        for draft in store.drafts.waiting_of([_key(name) for name in messages]):
            message = messages.get(f"<{draft.message_key}@{mailbox.address.rsplit('@', 1)[-1]}>")
            if message is not None and not says_the_same(message, draft):
                adopt(store, draft, message, at, "changed in Drafts")
                changed.append(draft.id)
    if uids:
        store.sentbox.move_on(mailbox.name, folder, uidvalidity, max(uids), at.isoformat(timespec="seconds"))
    return changed


def _key(message_id: str) -> str:
    """The key of the effect that a Message-ID of ours derives from, without its revision."""
    return re.split(r"[.@]", message_id.strip("<>"), maxsplit=1)[0]


def says_the_same(message: Message, draft: Draft) -> bool:
    """Whether a copy has the draft's recipients, subject and text; attachments are not looked at."""
    addresses, content = message.addresses, draft.content
    return digest_of(addresses.to, addresses.cc, message.subject, words_of(message), ()) == digest_of(
        content.to, content.cc, content.content.subject, content.content.text, ()
    )


def adopt(store: Store, draft: Draft, message: Message, at: datetime, why: str) -> Draft:
    """The copy is the draft now, and waits for approval; `why` is noted with the difference."""
    old = draft.content
    difference = "\n".join(
        difflib.unified_diff(
            _lines(old.content.subject, old.content.text),
            _lines(message.subject, words_of(message)),
            "before",
            "in Drafts",
            lineterm="",
        )
    )
    same = words_of(message).split() == old.content.text.split()
    words = worded(old, words_of(message), ())
    if same:  # other line breaks are no other words: somebody else may still be named by the template
        words = replace(words, unnamed=old.unnamed, nominees=old.nominees)
    content = replace(
        words,
        content=replace(words.content, subject=message.subject),
        to=message.addresses.to,
        cc=message.addresses.cc,
    )
    return store.drafts.change(
        draft.id,
        content,
        who="a person in Drafts",
        at=at,
        why=f"{why}:\n{difference}",
        by_service=True,
    )


def _lines(subject: str, text: str) -> list[str]:
    return [f"Subject: {subject}", "", *text.splitlines()]
