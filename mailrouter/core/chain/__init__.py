"""The forward chain of a mail: `unwind` reads it, `strip_prefixes` bares a subject."""

from mailrouter.core.chain.hops import Chain, Hop, Mark
from mailrouter.core.chain.reader import Enclosed, unwind, unwind_text
from mailrouter.core.chain.subjects import strip_prefixes

__all__ = ["Chain", "Enclosed", "Hop", "Mark", "strip_prefixes", "unwind", "unwind_text"]
