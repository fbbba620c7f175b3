"""An author's own words → orders as printed → an Instruction with names and periods resolved.

Invariant: only what is ordered counts; negation and open permission order nothing; a contradiction is said, not solved.
Orders are read from words alone; who may order, who "minu" is, and what "reedeks" means is resolved afterwards.
"""

from typing import TYPE_CHECKING

from mailrouter.core.instruction.orders import Instruction, Orders, Purpose, Restriction
from mailrouter.core.later import later

if TYPE_CHECKING:
    from mailrouter.core.instruction.reader import read_orders
    from mailrouter.core.instruction.resolve import resolve_orders
else:
    __getattr__ = later(
        __name__,
        {
            "reader": "read_orders",
            "resolve": "resolve_orders",
        },
    )

__all__ = ["Instruction", "Orders", "Purpose", "Restriction", "read_orders", "resolve_orders"]
