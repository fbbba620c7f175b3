"""hold: a person must look first."""

from collections.abc import Mapping
from typing import Any

from mailrouter.core.actions.interface import Outcome, Parameter, Scene, action
from mailrouter.core.actions.values import WORD
from mailrouter.core.outcomes import Hold


def _reason(values: Mapping[str, Any], scene: Scene) -> Outcome:
    return hold.do(values, scene)


@action(
    "hold",
    Parameter("reason", WORD, "Why, and what to do: a registrar reads it.", required=True),
    short="reason",
    probe=_reason,
)
def hold(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Holds the mail for a person: nothing but notices, reminders and flags goes out until it is released or retried."""
    return Hold("rule", f"rule '{scene.rule}': {values['reason'] or 'held'}")
