"""acknowledge, reply: automatic answers, and when none may be given (RFC 3834, RFC 5230 § 4.5)."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from mailrouter.core.actions.contents import LANGUAGE, SUBJECT, TEXT, TEXT_TEMPLATE, content, threading
from mailrouter.core.actions.interface import Note, Outcome, Parameter, Scene, Site, Value, action
from mailrouter.core.actions.recipients import RECIPIENTS
from mailrouter.core.case import Case
from mailrouter.core.effects import AutoReplyEffect, DraftEffect
from mailrouter.core.message import Address

# RFC 3834 § 2: no answer to such senders.
_NOBODY = re.compile(
    r"(?:mailer-daemon|postmaster|listserv|majordomo|do-?not-?reply|no-?reply|owner-.*|.*-(?:request|owner|bounces?|noreply)"
    r"|.*[._-]no-?reply|no-?reply[._+-].*|bounces?(?:[._+-].*)?)",
    re.IGNORECASE,
)
_LIST_HEADERS = frozenset({"list-id", "list-post", "list-unsubscribe", "list-help", "mailing-list", "x-mailing-list"})
_TO = "=letter.reply_to or incoming.from"
_PARAMETERS = (
    TEXT_TEMPLATE,
    TEXT,
    Parameter("to", RECIPIENTS, "Where it becomes a draft: who it is for.", default=_TO),
    SUBJECT,
    LANGUAGE,
)


def may_reply(case: Case) -> str | None:
    """Why the mail gets no automatic answer; None if it may have one.

    RFC 3834 § 2: none to automatic mail, bounces, lists, our own addresses; none where our address is not named
    (RFC 5230 § 4.5); none to the colleague who passed a letter on: there it is always a draft.
    """
    if case.incoming is None:
        return "nobody outside wrote to us"
    if case.incoming.index >= 0:
        return "the letter came in a forward, and an automatic answer would go to the forwarder"
    return _by_nature(case) or _by_headers(case) or _by_address(case)


def _by_nature(case: Case) -> str | None:
    reasons = {
        "list": "it came by a list",
        "automatic": "it is automatic itself",
        "bounce": "it is a bounce",
        "receipt": "it is a receipt",
        "loop": "it goes round",
    }
    return reasons.get(case.nature)


def _by_headers(case: Case) -> str | None:
    for name, value in case.message.headers:
        lowered, first = name.casefold(), value.split(";")[0].split("(")[0].strip().casefold()
        if lowered == "auto-submitted" and first != "no":
            return f"it says Auto-Submitted: {first}"
        if lowered in _LIST_HEADERS:
            return "it came by a list"
        if lowered == "precedence" and first in {"bulk", "list", "junk"}:
            return f"it says Precedence: {first}"
        if lowered == "x-auto-response-suppress" and first not in {"", "none"}:
            return "it asks for no automatic answers"
    if case.message.return_path == "":
        return "its return path is null"
    return None


def _by_address(case: Case) -> str | None:
    address = return_address(case)
    if not address:
        return "it has no address to answer to"
    local = address.partition("@")[0]
    if _NOBODY.fullmatch(local):
        return f"nobody reads {address}"
    own = case.mailbox.address.casefold()
    if case.sender.internal or address.casefold() == own:
        return "it is our own address"
    named = {(one.address or "").casefold() for one in (*case.message.to, *case.message.cc)}
    if own not in named:
        return f"{case.mailbox.address} is neither in To nor in Cc"
    return None


def return_address(case: Case) -> str | None:
    """Where an automatic answer goes: to the return path (RFC 3834 § 4), else to the author."""
    author = case.message.author
    return case.message.return_path or (author.address if author else None)


def _check(given: Mapping[str, Value], site: Site) -> None:
    bodies = (given["template"], given["text"])
    if all(body.constant is None and not body.paths for body in bodies):
        site.problem("an automatic answer needs 'template' or 'text'", key=True)
    body = given["template"].constant
    for word in ("own", "nominee"):
        if body is not None and body.template and word in site.world.templates.uses(body.template):
            site.problem(f"'{body.template}' prints {word}, which an automatic answer has not", "template")


def _answer(values: Mapping[str, Any], scene: Scene, kind: Literal["acknowledge", "reply"]) -> Outcome:
    case = scene.case
    text = content(values, "template", scene, outside=True)
    reply_to, references = threading(case)
    if case.incoming is not None and case.incoming.index >= 0:
        purpose: Literal["acknowledgement", "reply"] = "acknowledgement" if kind == "acknowledge" else "reply"
        return DraftEffect(
            scene.key, scene.rule, values["to"], text, purpose, in_reply_to=reply_to, references=references
        )
    reason = may_reply(case)
    if reason is not None:
        return Note(f"rule '{scene.rule}': no automatic answer: {reason}")
    to = (Address("", return_address(case)),)
    return AutoReplyEffect(scene.key, scene.rule, to, text, reply_to, references, kind)


@action("acknowledge", *_PARAMETERS, short="template", once=True, check=_check)
def acknowledge(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Acknowledges receipt at once and automatically.

    Lists, automatic mail, bounces and no-reply addresses get none. A letter that a colleague passed on gets a draft
    instead, since an automatic answer would go to the colleague.
    """
    return _answer(values, scene, "acknowledge")


@action("reply", *_PARAMETERS, short="template", once=True, check=_check)
def reply(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Answers at once and automatically, under the same limits as `acknowledge`. It is not registered and closes nothing."""
    return _answer(values, scene, "reply")
