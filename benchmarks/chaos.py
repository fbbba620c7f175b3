"""The service killed at every named step and at many random moments: `make chaos`.

Each run has thirty mails through Dovecot and an SMTP server, timeouts of 1 s, leases of 5 s; the service is killed with
SIGKILL, started again until nothing waits, every draft is approved, and the service is killed again while it sends.
On PostgreSQL three nodes run: one is killed, one stopped past its lease and woken. What must hold after each run is
tests/servers/crash_runs.py `check`. The table is printed, and written into docs/reliability.md with --write.

    python benchmarks/chaos.py [--moments 200] [--nodes 50] [--seed 1] [--write]
"""

import argparse
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))

import crash_runs
import local_dovecot
import local_postgres
import local_smtp

from mailrouter.shell import log

ONCE = (
    "publish",
    "lease",
    "begin_epoch",
    "see",
    "read",
    "settle",
    "healthy",
    "flag",
)  # steps that such a run reaches once or twice
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


class NotReachedError(AssertionError):
    """Nothing was killed: the step came less often than the run asked for."""


@dataclass
class Row:
    """What many runs of one kind came to."""

    name: str
    runs: int = 0
    kills: int = 0
    mails: int = 0
    sent: int = 0
    unknown: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, counts: dict[str, int], kills: int, mails: int) -> None:
        self.runs += 1
        self.kills += kills
        self.mails += mails
        self.sent += counts["sent"]
        self.unknown += counts["unknown"]


class Chaos:
    """Servers, and one run after another on them."""

    def __init__(self, forks: crash_runs.Services, dovecot: local_dovecot.DovecotServer, seed: int) -> None:
        self.forks, self.dovecot, self.seed = forks, dovecot, seed
        self.rows: dict[str, Row] = {}

    def run(self, row: str, name: str, story: Callable[[crash_runs.Run, random.Random], tuple[dict[str, int], int]],
            url: Callable[[Path], str]) -> None:  # fmt: skip
        """One run in a folder of its own; what went wrong is kept, and the next run goes on."""
        result = self.rows.setdefault(row, Row(row))
        chance = random.Random(f"{self.seed} {name}")
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder, local_smtp.smtp_sink() as sink:
            run = crash_runs.Run(Path(folder), self.dovecot, sink, self.forks, url(Path(folder)))
            try:
                counts, kills = story(run, chance)
            except NotReachedError:
                raise
            except AssertionError as error:
                result.runs += 1
                result.failed.append(f"{name}: {str(error)[:300]}")
                print(f"FAILED {result.failed[-1]}", flush=True)
                kept = Path(tempfile.gettempdir()) / f"chaos-failed-{re.sub(r'[^a-z0-9]+', '-', name.lower())}.log"
                kept.write_bytes(run.log.read_bytes() if run.log.exists() else b"")
            else:
                result.add(counts, kills, run.mails)

    def run_step(self, step: str) -> None:
        """A run killed at a named step, at its first coming where it does not come as often as was drawn."""
        row = "SQLite, at a named step"
        try:
            self.run(row, step, at_step(step), sqlite)
        except NotReachedError:
            try:
                self.run(row, f"{step} at first", at_step(step, often=False), sqlite)
            except NotReachedError:
                self.rows[row].failed.append(f"{step}: never reached")


def at_step(step: str, *, often: bool = True) -> Callable[[crash_runs.Run, random.Random], tuple[dict[str, int], int]]:
    """Killed at the step while mail comes in, and again while approved answers go out."""

    def story(run: crash_runs.Run, chance: random.Random) -> tuple[dict[str, int], int]:
        count = chance.choice([1, 1, 2, 5]) if often and step.split()[1] not in ONCE else 1
        kills = int(run.killed_at(step, count, serve=chance.random() < 0.3))
        run.until_quiet()
        run.check()
        run.approve()
        kills += run.killed_at(step, chance.choice([1, 2, 4]))
        run.until_quiet()
        if not kills:
            raise NotReachedError
        return run.check(approved=True), kills

    return story


def when_stored(run: crash_runs.Run, chance: random.Random) -> tuple[dict[str, int], int]:
    """The server has taken the mail, and the service is killed before it hears so."""
    kills = int(run.killed_when_stored(chance.randrange(1, 20)))
    run.until_quiet()
    return run.check(), kills


def at_moments(run: crash_runs.Run, chance: random.Random) -> tuple[dict[str, int], int]:
    """Killed at two random moments, once more while answers go out in a third of the runs."""
    kills = 0
    for _ in range(2):
        kills += run.killed_after(chance.uniform(0.1, 1.6), serve=chance.random() < 0.5, children=chance.random() < 0.1)
    run.until_quiet(serve=chance.random() < 0.5)
    counts = run.check()
    if chance.random() < 1 / 3:
        run.approve()
        kills += run.killed_after(chance.uniform(0.1, 0.8))
        run.until_quiet()
        counts = run.check(approved=True)
    return counts, kills


def of_nodes(run: crash_runs.Run, chance: random.Random) -> tuple[dict[str, int], int]:
    """Three nodes: one killed, one stopped past its lease and woken when the others are done."""
    first = run.start(serve=True)
    time.sleep(chance.uniform(0, 1.0))
    second, third = run.start(serve=True), run.start(serve=True)
    time.sleep(chance.uniform(0.3, 1.5))
    victim, sleeper, other = chance.sample([first, second, third], 3)
    kills = 0
    os.kill(sleeper, signal.SIGSTOP)  # those that ended are not waited for yet, so their ids are theirs
    time.sleep(chance.uniform(0, 0.5))
    os.kill(victim, signal.SIGKILL)
    kills += run.forks.wait(victim) == -signal.SIGKILL
    run.forks.wait(other)
    time.sleep(run.lease_seconds if chance.random() < 0.5 else 0)
    os.kill(sleeper, signal.SIGCONT)
    run.forks.wait(sleeper)
    run.until_quiet(serve=True)
    counts = run.check()
    return counts, kills


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'mailrouter.db'}"


def table(rows: list[Row], seconds: float) -> str:
    """The rows as Markdown; every zero of the text above it is checked after each run."""
    lines = [
        "| killed | runs | kills | mails | sent | unknown, all shown | runs that broke a promise |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} | {row.runs} | {row.kills} | {row.mails} | {row.sent} | {row.unknown} | {len(row.failed)} |"
        for row in rows
    ]
    return "\n".join([*lines, "", f"In {seconds / 60:.0f} minutes on {os.cpu_count()} cores.", ""])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--moments", type=int, default=200)
    options.add_argument("--nodes", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = options.parse_args()
    begun = time.monotonic()
    log.configure("console", quiet=True)
    with crash_runs.services() as forks, local_dovecot.dovecot() as dovecot, local_postgres.postgres() as server:
        chaos = Chaos(forks, dovecot, given.seed)
        for point in forks.points:
            for when in ("before", "after"):
                chaos.run_step(f"{when} {point}")
        for number in range(6):
            chaos.run("SQLite, mail taken, answer not heard", f"stored {number}", when_stored, sqlite)
        print(f"steps done after {time.monotonic() - begun:.0f} s", flush=True)
        for number in range(given.moments):
            chaos.run("SQLite, at random moments", f"moment {number}", at_moments, sqlite)
        print(f"moments done after {time.monotonic() - begun:.0f} s", flush=True)
        for number in range(given.nodes):
            with server.database() as url:
                chaos.run("PostgreSQL, three nodes, one killed and one stopped", f"nodes {number}", of_nodes,
                          lambda _, url=url: url)  # fmt: skip
    text = table(list(chaos.rows.values()), time.monotonic() - begun)
    print(text)
    failed = [one for row in chaos.rows.values() for one in row.failed]
    print("\n".join(failed))
    if given.write and PAGE.exists():
        page = PAGE.read_text("utf-8")
        marks = ("<!-- chaos begins -->\n", "<!-- chaos ends -->")
        PAGE.write_text(re.sub(f"(?s){marks[0]}.*?{marks[1]}", lambda _: marks[0] + text + marks[1], page), "utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
