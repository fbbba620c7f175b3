"""Reading of mails in child processes with limits of time and memory, OCR, and mail files for the command line."""

from mailrouter.shell.reading.files import Found, iter_paths
from mailrouter.shell.reading.pool import ReadingPool

__all__ = ["Found", "ReadingPool", "iter_paths"]
