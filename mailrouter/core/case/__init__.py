"""Case: all that rules and templates see of one mail, resolved against the directory and the register."""

from typing import TYPE_CHECKING

from mailrouter.core.case.cases import (
    CASE,
    Case,
    Correspondence,
    Loops,
    MailboxRef,
    Sender,
    Thread,
    ThreadEntry,
)
from mailrouter.core.later import later

if TYPE_CHECKING:
    from mailrouter.core.case.asread import as_read
    from mailrouter.core.case.keys import identity_keys, outgoing_keys, registered_keys, thread_lookup_keys
    from mailrouter.core.case.parties import incoming_index, internal
    from mailrouter.core.case.resolving import resolve
    from mailrouter.core.case.threads import compare, decide_thread
else:
    __getattr__ = later(
        __name__,
        {
            "asread": "as_read",
            "keys": "identity_keys outgoing_keys registered_keys thread_lookup_keys",
            "parties": "incoming_index internal",
            "resolving": "resolve",
            "threads": "compare decide_thread",
        },
    )

__all__ = [
    "CASE",
    "Case",
    "Correspondence",
    "Loops",
    "MailboxRef",
    "Sender",
    "Thread",
    "ThreadEntry",
    "as_read",
    "compare",
    "decide_thread",
    "identity_keys",
    "incoming_index",
    "internal",
    "outgoing_keys",
    "registered_keys",
    "resolve",
    "thread_lookup_keys",
]
