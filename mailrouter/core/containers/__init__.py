"""Containers opened to their leaves: encapsulated mails, .msg, winmail.dat, S/MIME, ASiC-E/BDOC/DDOC, zip.

`open_parts` is the one entry. Invariant: bounded by `Limits` whatever comes in; names inside are data, never paths;
nothing raises.
"""

from mailrouter.core.containers.opened import Limits, Opened, OpenedPart
from mailrouter.core.containers.opening import open_parts
from mailrouter.core.containers.outlook import mail_bytes

__all__ = ["Limits", "Opened", "OpenedPart", "mail_bytes", "open_parts"]
