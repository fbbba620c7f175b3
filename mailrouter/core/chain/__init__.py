"""The forward chain of a mail: `unwind` reads it, `strip_prefixes` bares a subject."""

from typing import TYPE_CHECKING

from mailrouter.core.chain.hops import Chain, Hop, Mark
from mailrouter.core.later import later

if TYPE_CHECKING:
    from mailrouter.core.chain.reader import Enclosed, unwind, unwind_text
    from mailrouter.core.chain.subjects import strip_prefixes
else:
    __getattr__ = later(
        __name__,
        {
            "reader": "Enclosed unwind unwind_text",
            "subjects": "strip_prefixes",
        },
    )

__all__ = ["Chain", "Enclosed", "Hop", "Mark", "strip_prefixes", "unwind", "unwind_text"]
