"""Every command. Thin: what a command does stands in the package, what it prints stands here.

Exit: 0 done, 1 the answer is no or problems were found, 2 wrong use, 3 a server or database could not be reached.
This module is loaded by every process of ours, the reading children too: it loads nothing but the errors.
"""

import os
import sys
from pathlib import Path

from mailrouter.shell.errors import Permanent, Refused, Temporary


def main() -> None:
    """Run a command; errors become one line on stderr and the exit code of INTERFACE's table."""
    _streams()
    from mailrouter.cli.commands import app  # noqa: PLC0415 - the children need no commands

    try:
        app()
    except Refused as refused:
        for problem in refused.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - the command line's own output
        sys.exit(1)
    except Permanent as error:
        print(f"mailrouter: {error}", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(1)
    except Temporary as error:
        print(f"mailrouter: {error}", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(3)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)
    except OSError as error:  # a folder that cannot be written, a full disk
        where = f"{error.filename}: " if error.filename else ""
        print(f"mailrouter: {where}{error.strerror or error}", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(1)


def _streams() -> None:
    """UTF-8 whatever the locale says, as JSON Lines are; a stream that the caller has closed swallows what is said."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open as long as we run
        else:
            stream.reconfigure(encoding="utf-8", errors="replace")
