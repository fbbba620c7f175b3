"""Containers opened to their leaves: encapsulated mails, .msg, winmail.dat, S/MIME, ASiC-E/BDOC/DDOC, zip.

`open_parts` is the one entry. Invariant: bounded by `Limits` whatever comes in; names inside are data, never paths;
nothing raises.
"""

from typing import TYPE_CHECKING

from mailrouter.core.containers.opened import Limits, Opened, OpenedPart
from mailrouter.core.later import later

if TYPE_CHECKING:
    from mailrouter.core.containers.opening import open_parts
    from mailrouter.core.containers.outlook import mail_bytes
else:
    __getattr__ = later(
        __name__,
        {
            "opening": "open_parts",
            "outlook": "mail_bytes",
        },
    )

__all__ = ["Limits", "Opened", "OpenedPart", "mail_bytes", "open_parts"]
