"""A draft as the store has it, and what an approval binds to.

Invariant: the digest of a draft and of its copy read back from the Drafts folder are the same, unless one says something
else than the other.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailrouter.core.effects import OWN_NUMBER, DraftEffect, Text, effect_key
from mailrouter.core.html import to_text
from mailrouter.core.message import Address, Message


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands now. `number` is the outgoing document's own, from approval on."""

    id: int
    effect_key: str
    intake_id: int | None
    mailbox: str
    state: str
    content: DraftEffect
    digest: str
    answers: str | None
    approved_by: str | None
    approved_at: str | None
    number: str | None
    registered: str | None
    revision: int
    note: str | None
    letter: str | None = None  # the number of the letter's entry, whatever the draft does with it
    letter_confirmed: bool = True  # False: that number is a proposal until the register that owns it confirms it
    confirmed: bool = True  # the same of the answer's own number
    sought: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """What must come before it can go out: "nominee" from a person, "number" from the register that owns it."""
        named = self.letter is not None and names(self.content.content, self.letter)
        waits = not self.letter_confirmed and (self.answers is not None or named)
        return (*self.content.needs, *(("number",) if waits else ()))

    @property
    def purpose(self) -> str:
        """acknowledgement, nomination or reply."""
        return self.content.purpose

    @property
    def message_key(self) -> str:
        """What the Message-ID of the copy in Drafts derives from: each revision has its own."""
        return self.effect_key if self.revision == 0 else f"{self.effect_key}.{self.revision}"


@dataclass(frozen=True, slots=True)
class ByHand:
    """A mail in Sent by which a person answered. `why`: how it was recognised."""

    sha256: str
    message_id: str | None
    author: str
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    text: str
    why: str
    copy: bool = False  # it has the Message-ID of the draft's copy


def waits_for_own(draft: Draft) -> bool:
    """Whether it prints a number that another register has yet to give."""
    return draft.number is not None and not draft.confirmed and names(draft.content.content, OWN_NUMBER)


def names(text: Text, number: str) -> bool:
    """Whether a draft's words name a number."""
    return any(number in words for words in (text.subject, text.text, text.html))


def renumbered(content: DraftEffect, ours: str, theirs: str) -> DraftEffect:
    """The draft with the number that another register gave in place of the proposed one."""
    printed = re.compile(rf"(?<![\w/.-]){re.escape(ours)}(?![\w/-])")

    def filled(text: Text) -> Text:
        subject, words, html = (printed.sub(lambda _: theirs, one) for one in (text.subject, text.text, text.html))
        return replace(text, subject=subject, text=words, html=html)

    unnamed = filled(content.unnamed) if content.unnamed else None
    return replace(content, content=filled(content.content), unnamed=unnamed)


def words_of(message: Message) -> str:
    """The text of a copy read back from a mail program, which may have left only HTML."""
    return message.text or to_text(message.html)


def send_key(draft: Draft) -> str:
    """The key of the sending of a draft as it stands: another text is another effect."""
    return effect_key(draft.digest, draft.mailbox, str(draft.id), "send")


def approval_digest(content: DraftEffect) -> str:
    """What an approval binds to: text, recipients, subject and attachments, white space at line ends apart."""
    return digest_of(content.to, content.cc, content.content.subject, content.content.text, ())


def digest_of(
    to: Sequence[Address], cc: Sequence[Address], subject: str, text: str, attachments: Sequence[tuple[str, str]]
) -> str:
    """SHA-256 over what a draft says; attachments as (name, SHA-256). The same for a copy read back from Drafts."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")]
    data: Mapping[str, Any] = {
        "to": sorted((one.address or one.name).casefold() for one in to),
        "cc": sorted((one.address or one.name).casefold() for one in cc),
        "subject": " ".join(subject.split()),
        "text": lines,
        "attachments": sorted(attachments),
    }
    return hashlib.sha256(json.dumps(data, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
