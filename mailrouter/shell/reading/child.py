"""What runs in a reading child: its limits, and the reading itself.

Invariant: a child never outlives its parent, never takes more memory than it was given, and never uses more processor
time on one task than the task has.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mailrouter.core.containers import Limits
from mailrouter.core.mail import Reading

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
OUT_OF_MEMORY: Final = 77  # the exit code that says so
_WARMING: Final = tuple(  # each loads the language model, the word lists of its language and the names of its months
    f"Subject: warming\nContent-Type: text/plain; charset=utf-8\n\n{words}\n".encode()
    for words in (
        "Dear Sir or Madam,\n\nplease send us your comments on the enclosed draft by 15 March 2024.\n\nYours faithfully",
        "Lugupeetud proua\n\nPalume esitada arvamus lisatud eelnõu kohta hiljemalt 15. märtsiks 2024.\n\nLugupidamisega",
    )
)
_SPARE_SECONDS: Final = 2  # over the parent's own clock, which speaks first and with the better reason
_LIBRARY_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def start(mebibytes: int, parent: int) -> None:
    """Run once when a child begins. `parent` is the process that wants it."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    for name in _LIBRARY_THREADS:  # each thread of a number library reserves address space that is never used
        os.environ[name] = "1"
    from mailrouter.core.reading import read  # noqa: PLC0415 - only a child reads; its parent names this module as well

    for mail in _WARMING:  # while there is room: half a library is worse than none
        read(mail, Limits())
    size = mebibytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold people's mail


def read_mails(mails: list[bytes | str], limits: Limits, seconds: float, ocr: str | None) -> list[Reading]:
    """Read some mails; the processor time allowed is `seconds` from now, for all of them.

    A large mail comes as the name of a file in the parent's memory: so it is here, and not while it is handed over, that
    a mail which does not fit runs out of room.
    """
    from mailrouter.core.reading import read  # noqa: PLC0415 - as in `start`
    from mailrouter.shell.reading.ocr import tesseract  # noqa: PLC0415 - as above

    used = resource.getrusage(resource.RUSAGE_SELF)
    end = int(used.ru_utime + used.ru_stime + seconds) + _SPARE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
    scanner: Callable[[bytes], str] | None = tesseract if ocr == "tesseract" else None
    try:
        return [read(raw if isinstance(raw, bytes) else Path(raw).read_bytes(), limits, scanner) for raw in mails]
    except MemoryError:
        # A child that ran out is not to be trusted with the next mail: libraries may be half loaded.
        os._exit(OUT_OF_MEMORY)
