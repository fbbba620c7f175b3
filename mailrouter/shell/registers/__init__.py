"""The mirrors of our register, found by discovery: each file here that has `SETTINGS` and `connect`."""

from mailrouter.shell.registers.discovery import connect, mirrors, settings_problems
from mailrouter.shell.registers.handover import Ended, carry_over
from mailrouter.shell.registers.interface import Document, Handed, Mirror, Trace, Unproven

__all__ = [
    "Document",
    "Ended",
    "Handed",
    "Mirror",
    "Trace",
    "Unproven",
    "carry_over",
    "connect",
    "mirrors",
    "settings_problems",
]
