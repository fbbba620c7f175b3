"""Starting and ending the tests' own servers: each in its own temporary directory, as no privileged user.

Invariant: what is ended is exactly the process that was started here, and it ends with the test run even if that is
killed (PR_SET_PDEATHSIG).
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

# Run in the new process before the server: gives up root, asks the kernel for a SIGTERM when the parent ends, execs.
_LAUNCHER = """
import ctypes, os, sys
uid, gid = int(sys.argv[1]), int(sys.argv[2])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[3]):
    sys.exit("the tests ended meanwhile")
os.execv(sys.argv[4], sys.argv[4:])
"""


def missing(reason: str) -> None:
    """Skip with a loud reason; in CI a server that is not there is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; in CI this is a failure")
    pytest.skip(f"NOT TESTED: {reason}")


def account() -> pwd.struct_passwd:
    """Who the servers run as: we ourselves, or `nobody` when we are root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextlib.contextmanager
def directory(prefix: str) -> Iterator[Path]:
    """A temporary directory that the servers' account owns; short, because socket paths are (108 bytes)."""
    path = Path(tempfile.mkdtemp(prefix=prefix))
    user = account()
    if os.geteuid() == 0:
        os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def command(arguments: Sequence[str]) -> list[str]:
    """The command line that runs this program as the servers' account, ending when we end."""
    user = account()
    return [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _LAUNCHER,
        str(user.pw_uid),
        str(user.pw_gid),
        str(os.getpid()),
        *arguments,
    ]


@contextlib.contextmanager
def running(
    arguments: Sequence[str], log: Path, port: int, stop_signal: int = signal.SIGTERM
) -> Iterator[subprocess.Popen]:
    """The server while it runs; it is there when its port answers."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command(arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        )  # fmt: skip
    try:
        wait_for_port(port, process, log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop_signal)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def wait_for_port(port: int, process: subprocess.Popen, log: Path, seconds: float = 30) -> None:
    """Return when somebody listens; RuntimeError with the server's log if it ended or never did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[-1]} does not listen on port {port}:\n{log.read_text(errors='replace')}")
