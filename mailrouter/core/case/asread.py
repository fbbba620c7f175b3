"""The `case` of `explain --json`: the object of `read --json`, with what resolving added.

Invariant: every key of `read --json` stands with the same meaning; more keys are only added.
"""

from typing import Any

from mailrouter.core.case.cases import CASE, Case
from mailrouter.core.mail import Reading, as_json

_ADDED = ("received", "mailbox", "sender", "oldest", "forwarder", "nature", "thread", "holds")


def as_read(reading: Reading, case: Case, file: str = "", index: int = 0) -> dict[str, Any]:
    """`read --json` of the reading with `verified`, `incoming` (the index in `chain`), `instruction` and the rest filled."""
    data = as_json(reading, file, index)
    resolved = CASE.dump_python(case, mode="json", by_alias=True)
    data["message"] = {**data["message"], "verified": case.sender.verified, "nature": case.nature}
    data["incoming"] = case.incoming.index if case.incoming else None
    data["letters"] = resolved["letters"]
    data["instruction"] = resolved["instruction"]
    return {**data, **{name: resolved[name] for name in _ADDED}}
