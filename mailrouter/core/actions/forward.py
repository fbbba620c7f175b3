"""forward: the mail passed on to colleagues."""

from collections.abc import Mapping
from typing import Any

from mailrouter.core.actions.contents import LANGUAGE, SUBJECT, content
from mailrouter.core.actions.interface import Outcome, Parameter, Scene, action
from mailrouter.core.actions.recipients import RECIPIENTS
from mailrouter.core.actions.values import BODY, choice
from mailrouter.core.effects import ForwardEffect

_PARAMETERS = (
    Parameter("to", RECIPIENTS, "Who gets it: names, groups, roles, units, addresses, or paths.", required=True),
    Parameter("cc", RECIPIENTS, "Who gets a copy."),
    Parameter("note", BODY, "What stands above the mail: a template's name, or the words themselves."),
    Parameter(
        "mode", choice("attach", "inline"), "attach: the original whole, as it came; inline: quoted.", default="attach"
    ),
    SUBJECT,
    LANGUAGE,
)


@action("forward", *_PARAMETERS, short="to")
def forward(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Passes the mail on: a fresh message from our address with the original attached whole and a note above it.

    Of a letter that arrives again, only what the colleague's own instruction asks for (`to: =instruction.forward_to`)
    goes out.
    """
    text = content(values, "note", scene, outside=False)
    return ForwardEffect(scene.key, scene.rule, values["to"], text, values.get("cc") or (), values["mode"])
