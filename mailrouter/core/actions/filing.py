"""move, flag: what becomes of the mail in its mailbox."""

from collections.abc import Mapping
from typing import Any

from mailrouter.core.actions.interface import Outcome, Parameter, Ready, Scene, action
from mailrouter.core.actions.values import FOLDER, WORDS
from mailrouter.core.effects import FlagEffect, MoveEffect


def _where(values: Mapping[str, Any], _: Scene) -> Outcome:
    return Ready(values["folder"])


@action(
    "move",
    Parameter("folder", FOLDER, "The folder's name, with / between its levels.", required=True),
    short="folder",
    probe=_where,
)
def move(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Files the mail in a folder of its mailbox, last of all: after everything else is done or given up."""
    folder = values["folder"]
    return MoveEffect(scene.key, scene.rule, folder.subject, folder.subject_source)


@action("flag", Parameter("flags", WORDS, r"Flags such as \Flagged, or keywords.", required=True), short="flags")
def flag(values: Mapping[str, Any], scene: Scene) -> Outcome:
    r"""Sets flags on the mail: \Flagged, \Seen, or keywords where the server keeps them."""
    return FlagEffect(scene.key, scene.rule, values["flags"])
