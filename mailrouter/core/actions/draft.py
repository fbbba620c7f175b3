"""draft: an answer that waits for a person in the Drafts folder."""

from collections.abc import Mapping
from typing import Any

from mailrouter.core.actions.contents import LANGUAGE, SUBJECT, TEXT, TEXT_TEMPLATE, content, threading
from mailrouter.core.actions.interface import Outcome, Parameter, Scene, Site, Value, action
from mailrouter.core.actions.recipients import RECIPIENTS
from mailrouter.core.actions.values import FLAG, WORD, choice
from mailrouter.core.effects import DraftEffect
from mailrouter.core.nominations import topic_of

_TO = "=letter.reply_to or incoming.from"
_PARAMETERS = (
    TEXT_TEMPLATE,
    TEXT,
    Parameter("to", RECIPIENTS, "Who it is for.", default=_TO),
    Parameter("cc", RECIPIENTS, "Who gets a copy."),
    Parameter("purpose", choice("acknowledgement", "nomination", "reply"), "What it is.", default="reply"),
    Parameter(
        "answers", FLAG, "Sending it is registered under a number of its own and closes the letter.", default=False
    ),
    Parameter("approver", WORD, "Who may approve it; else whoever works with drafts."),
    SUBJECT,
    LANGUAGE,
)


def _check(given: Mapping[str, Value], site: Site) -> None:
    body = given["template"].constant or given["text"].constant
    if body is None and not given["template"].paths and not given["text"].paths:
        site.problem("'draft' needs 'template' or 'text'", key=True)
        return
    if body is not None and body.template and not given["answers"].constant:
        uses = site.world.templates.uses(body.template)
        if "own" in uses:
            site.problem(
                f"'{body.template}' prints own.number, which only a draft with 'answers: true' gets", "template"
            )


@action("draft", *_PARAMETERS, short="template", once=True, check=_check)
def draft(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Puts an answer into the Drafts folder, in reply to the letter's own mail; a person approves it, then it is sent.

    With `answers: true` sending it is registered and closes the letter. A template that speaks of the `nominee` gets the
    one that nominations.yaml names for the topic; if there is none, the draft waits until a person fills it in.
    """
    text = content(values, "template", scene, outside=True)
    reply_to, references = threading(scene.case)
    asks_nominee = text.template is not None and "nominee" in scene.world.templates.uses(text.template)
    nominee = asks_nominee and scene.nominee is None
    return DraftEffect(
        scene.key,
        scene.rule,
        values["to"],
        text,
        values["purpose"],
        values.get("cc") or (),
        answers=values["answers"],
        in_reply_to=reply_to,
        references=references,
        needs=("nominee",) if nominee else (),
        approver=values.get("approver") or (_approver(scene) if asks_nominee else None),
    )


def _approver(scene: Scene) -> str | None:
    """Whom nominations.yaml entitles to approve the topic's nomination."""
    on = scene.now.date().isoformat()
    if not scene.naming:
        return None
    topic = topic_of(scene.case, scene.world.nominations, on=on, series=scene.series)
    return topic.approver if topic else None
