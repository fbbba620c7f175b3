"""What the service costs when nothing comes: python benchmarks/idle.py [--mailboxes 50] [--seconds 60]

Fifty mailboxes in IDLE, one of which has had a mail, so that a reading child was begun; the figures are taken once it
has ended again: memory of all processes together (proportional set size), and processor time as a share of one core.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
sys.path.insert(0, str(Path(__file__).parent))

import local_dovecot
import local_smtp
import made_mails
import service

CHILDREN_END = 75.0  # seconds; idle reading children end after 60


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def memory(pids: list[int]) -> float:
    """Proportional set size in MiB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def processor(pids: list[int]) -> float:
    """Seconds of processor time so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--mailboxes", type=int, default=50)
    options.add_argument("--seconds", type=float, default=60)
    given = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as place,
        local_dovecot.dovecot() as dovecot,
        local_smtp.smtp_sink() as sink,
    ):
        users = [dovecot.user("idle") for _ in range(given.mailboxes)]
        service.configure(Path(place), dovecot, sink, users, workers=1)
        dovecot.deliver(users[0], made_mails.mail(0))
        command = [sys.executable, "-m", "mailrouter", "run", "--config", str(Path(place) / "config")]
        with (Path(place) / "log").open("w") as log:
            running = subprocess.Popen(command, stderr=log, env={**os.environ, service.PASSWORD: dovecot.password})
        try:
            sink.wait(1, 120)
            time.sleep(CHILDREN_END)
            pids = family(running.pid)
            begun, used = time.monotonic(), processor(pids)
            time.sleep(given.seconds)
            share = (processor(pids) - used) / (time.monotonic() - begun)
            print(
                f"{given.mailboxes} mailboxes: {memory(pids):.0f} MiB in {len(pids)} processes, {share:.1%} of a core"
            )
        finally:
            running.terminate()
            running.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
