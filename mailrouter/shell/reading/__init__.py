"""Reading of mails in child processes with limits of time and memory, OCR, and mail files for the command line."""

from typing import TYPE_CHECKING

from mailrouter.core.later import later

if TYPE_CHECKING:
    from mailrouter.shell.reading.files import Found, iter_paths
    from mailrouter.shell.reading.pool import ReadingPool
else:
    __getattr__ = later(
        __name__,
        {
            "files": "Found iter_paths",
            "pool": "ReadingPool",
        },
    )

__all__ = ["Found", "ReadingPool", "iter_paths"]
