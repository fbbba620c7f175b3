"""The text of a mail, put together from an action's values: template or words, subject, language."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mailrouter.core.actions.interface import Parameter, Scene
from mailrouter.core.actions.values import BODY, LINE, TEMPLATE, WORD
from mailrouter.core.case import Case
from mailrouter.core.effects import Text
from mailrouter.core.letter.letters import Letter
from mailrouter.core.people import Directory, institution_of

SUBJECT = Parameter("subject", LINE, "The subject; else the template's own, else the mail's with Re: or FW: before it.")
LANGUAGE = Parameter(
    "language", WORD, "The language that the template is chosen by (et, en …), or a path; else the reader's."
)
TEXT_TEMPLATE = Parameter("template", TEMPLATE, "The template's name, as in templates/.")
TEXT = Parameter("text", BODY, "The text itself, or a template string, instead of a template.")


def content(values: Mapping[str, Any], body: str, scene: Scene, *, outside: bool) -> Text:
    """The Text of an action: `body` names the value that has its words; `outside` whether strangers will read it."""
    made: Text = values.get(body) or values.get("text") or Text()
    subject: Text | None = values.get("subject")
    if subject is not None:
        made = replace(made, subject=subject.subject, subject_source=subject.subject_source)
    language = values.get("language") or (outside_language(scene) if outside else scene.case.message.language)
    return replace(made, language=language)


def outside_language(scene: Scene) -> str | None:
    """The language of those who wrote to us: of the letter, of their institution, of the mail they wrote themselves."""
    return language_of(scene.case, scene.letter, scene.world.directory)


def language_of(case: Case, letter: Letter | None, directory: Directory) -> str | None:
    """As `outside_language`, of a case."""
    if letter is not None and letter.language:
        return letter.language
    author = case.incoming.author if case.incoming else None
    institution = institution_of(directory, author.address) if author and author.address else None
    if institution is not None and institution.language:
        return institution.language
    return case.message.language if case.incoming is not None and case.incoming.index < 0 else None


def threading(case: Case) -> tuple[str | None, tuple[str, ...]]:
    """In-Reply-To and References of an answer: to `incoming`, not to the colleague who forwarded (RFC 5322 § 3.6.4)."""
    incoming = case.incoming
    if incoming is None or not incoming.message_id:
        return None, ()
    if incoming.index < 0:
        earlier = tuple(one for one in case.message.references if one != incoming.message_id)
        return incoming.message_id, (*earlier, incoming.message_id)
    known = case.message.references
    if incoming.message_id in known:
        return incoming.message_id, known[: known.index(incoming.message_id) + 1]
    return incoming.message_id, (incoming.message_id,)
