"""hand_over: the entry given to another register system."""

from collections.abc import Mapping
from typing import Any

from mailrouter.core.actions.interface import Outcome, Parameter, Scene, action
from mailrouter.core.actions.values import WORD
from mailrouter.core.effects import HandOverEffect


@action(
    "hand_over",
    Parameter("register", WORD, "The register's name in mailrouter.yaml: delta, csvfile.", required=True),
    short="register",
    once=True,
)
def hand_over(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Gives the letter to another register system."""
    return HandOverEffect(scene.key, scene.rule, values["register"] or "")
