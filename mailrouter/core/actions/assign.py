"""assign: who is responsible."""

from collections.abc import Mapping
from typing import Any

from mailrouter.core.actions.interface import Note, Outcome, Parameter, Ready, Scene, action
from mailrouter.core.actions.recipients import PERSON
from mailrouter.core.effects import AssignEffect


def _whom(values: Mapping[str, Any], scene: Scene) -> Outcome:
    return Ready(values["responsible"]) if values["responsible"] else assign.do(values, scene)


@action(
    "assign",
    Parameter("responsible", PERSON, "A person or role of people.yaml, or a path.", required=True),
    short="responsible",
    once=True,
    probe=_whom,
)
def assign(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Makes somebody responsible for the registered letter, whatever another rule's `register` says."""
    if values["responsible"] is None:
        return Note(f"rule '{scene.rule}': assign: the path names nobody")
    return AssignEffect(scene.key, scene.rule, values["responsible"])
