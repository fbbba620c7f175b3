"""Effects: everything that mailrouter does outside its database, one row each, with a key that never changes.

Invariant: the same mail, rule and place in the rule give the same key, and the key gives the Message-ID; so a repeated
decision finds its effects done and a repeated command finds its mail.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import Entry, Responsible

OWN_NUMBER = "{number}"  # in a draft that answers: the outgoing document's own number, filled when it is approved
OWN_DATE = "{date}"


@dataclass(frozen=True, slots=True)
class Text:
    """A mail text: literal, or a template's name before `fill` renders it into subject, text and html.

    `subject_source` and `source` are template strings that stand in a rule; like `template` they are None once they
    are rendered. `subject` and `text` are never rendered: they may hold words of a mail. `attachments` names what of the
    mail goes with it: "original", "letter", or an attachment's path with slashes.
    """

    subject: str = ""
    text: str = ""
    html: str = ""
    template: str | None = None
    language: str | None = None
    source: str | None = None
    subject_source: str | None = None
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterEffect:
    """An entry in our register; done in the settle transaction itself."""

    key: str
    rule: str
    entry: Entry
    term: str = "institution"
    kind: Literal["register"] = "register"


@dataclass(frozen=True, slots=True)
class ForwardEffect:
    """The mail passed on: a fresh message from our address, the original attached whole (or inline)."""

    key: str
    rule: str
    to: tuple[Address, ...]
    content: Text
    cc: tuple[Address, ...] = ()
    mode: Literal["attach", "inline"] = "attach"
    kind: Literal["forward"] = "forward"


@dataclass(frozen=True, slots=True)
class DraftEffect:
    """A draft in the mailbox's Drafts folder, waiting for a person."""

    key: str
    rule: str
    to: tuple[Address, ...]
    content: Text
    purpose: Literal["acknowledgement", "nomination", "reply"]
    cc: tuple[Address, ...] = ()
    answers: bool = False  # sending it is registered and closes the letter
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # what a person must fill: "nominee"
    approver: str | None = None
    nominees: tuple[
        str, ...
    ] = ()  # whom it names, as people.yaml has them: their entries must be valid when it goes out
    unnamed: Text | None = None  # the same with the nominee's places open, to name somebody else
    kind: Literal["draft"] = "draft"


@dataclass(frozen=True, slots=True)
class AutoReplyEffect:
    """An automatic answer to the return path (RFC 3834): `acknowledge` or `reply`."""

    key: str
    rule: str
    to: tuple[Address, ...]
    content: Text
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    kind: Literal["acknowledge", "reply"] = "acknowledge"


@dataclass(frozen=True, slots=True)
class MoveEffect:
    """The mail filed in a folder of its mailbox; waits until the message's other effects are done or given up.

    `source` is a template string before `fill` renders it into `folder`.
    """

    key: str
    rule: str
    folder: str
    source: str | None = None
    kind: Literal["move"] = "move"


@dataclass(frozen=True, slots=True)
class FlagEffect:
    r"""Flags set on the mail: `\\Flagged`, or a keyword where the server has keywords."""

    key: str
    rule: str
    flags: tuple[str, ...]
    kind: Literal["flag"] = "flag"


@dataclass(frozen=True, slots=True)
class AssignEffect:
    """The responsible of the entry set; done in the settle transaction."""

    key: str
    rule: str
    responsible: Responsible
    kind: Literal["assign"] = "assign"


@dataclass(frozen=True, slots=True)
class NotifyEffect:
    """A mail to colleagues about what was done or is held. `ics` attaches a calendar (kind "calendar")."""

    key: str
    rule: str
    to: tuple[Address, ...]
    content: Text
    ics: str = ""
    kind: Literal["notify", "calendar"] = "notify"


@dataclass(frozen=True, slots=True)
class RemindEffect:
    """A mail at a later time, unless the letter is answered or the hold is released by then."""

    key: str
    rule: str
    to: tuple[Address, ...]
    content: Text
    at: str | None = None  # ISO with offset; None until `fill` computes it from the entry's due date
    before_due: str | None = None  # "3 working days"
    until: Literal["answered", "released"] = "answered"
    due: str | None = None  # the ISO date that `at` was computed from
    kind: Literal["remind"] = "remind"


@dataclass(frozen=True, slots=True)
class HandOverEffect:
    """The entry given to another register system (delta, csvfile)."""

    key: str
    rule: str
    register: str
    kind: Literal["hand_over"] = "hand_over"


@dataclass(frozen=True, slots=True)
class SendEffect:
    """An approved draft going out, bound to the digest that was approved."""

    key: str
    rule: str
    draft: int
    digest: str
    kind: Literal["send"] = "send"


Effect = Annotated[
    RegisterEffect
    | ForwardEffect
    | DraftEffect
    | AutoReplyEffect
    | MoveEffect
    | FlagEffect
    | AssignEffect
    | NotifyEffect
    | RemindEffect
    | HandOverEffect
    | SendEffect,
    Field(discriminator="kind"),
]
EFFECT: TypeAdapter[Effect] = TypeAdapter(Effect, config=ConfigDict(defer_build=True))  # built when it is first used


def effect_key(sha256: str, mailbox: str, rule: str, kind: str, ordinal: int = 0) -> str:
    """A stable key, 32 hex digits, for the `ordinal`-th effect of this kind that a rule wants for one mail."""
    return hashlib.sha256("\x1f".join((sha256, mailbox, rule, kind, str(ordinal))).encode()).hexdigest()[:32]


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the mail that an effect sends, so that it can be searched for after a crash."""
    return f"<{key}@{domain}>"


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision's effects, in the order of rules, with templates not yet rendered.

    `link` is the number of the entry that the same letter already has: the mail is linked to it and no number is given.
    `notes` say what was left out and why. `shadow` is what shadow rules would have done; nobody performs it. `letters`
    is the Decision's.
    """

    effects: tuple[Effect, ...] = field(default=())
    link: str | None = None
    notes: tuple[str, ...] = ()
    shadow: tuple[Effect, ...] = ()
    letters: Mapping[str, int | None] = field(default_factory=dict)
    hold: Hold | None = None
