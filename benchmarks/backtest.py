"""How long a rule change takes on the whole archive: `python benchmarks/backtest.py [CASES]`.

The store is a real one with that many decided mails, made from the samples; the changed rules add one rule. Target:
100,000 stored cases in 30 s on two cores, memory flat.
"""

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from mailrouter import bootstrap, ruleset
from mailrouter.core.case import CASE, MailboxRef, resolve
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.shell.backtesting import Backtest
from mailrouter.shell.store.schema import intake

ROOT = Path(__file__).parents[1]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("config", "rules", "templates"):
            shutil.copytree(ROOT / name, home / name)
        app = bootstrap.app(home / "config")
        fill(app, count)
        old = app.rulebook().working_copy()
        new = {
            **old,
            "rules/99-new.yaml": "- rule: new\n  when: {message.subject: {contains: Global}}\n  then: [{move: New}]\n",
        }
        run = Backtest(app.pipeline(), old, new)
        began, busy = time.perf_counter(), time.process_time()
        changed = sum(1 for _ in run.differences())
        took = time.perf_counter() - began
        used = time.process_time() - busy
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{count} cases in {took:.1f} s: {count / took:.0f} a second, {changed} changed; processor time {used:.1f} s here, "
            f"{children.ru_utime + children.ru_stime:.1f} s in children; {own} MiB, a child {children.ru_maxrss // 1024} MiB"
        )
        app.close()


def fill(app: bootstrap.App, count: int) -> None:
    built, _ = ruleset.build(app.rulebook().working_copy())
    cases = []
    for path in sorted((ROOT / "rules" / "samples").glob("*.eml")):
        case = resolve(
            read(path.read_bytes(), Limits()),
            mailbox=MailboxRef("registry", "info@ministry.example"),
            received="2024-02-29T13:06:00+02:00",
            directory=built.directory,
            domains=built.domains,
            trust=built.trust,
        )
        cases.append((case.sha256, CASE.dump_json(case, by_alias=True).decode()))
    store = app.store
    rows = (
        {
            "mailbox": "registry",
            "folder": "INBOX",
            "uidvalidity": 1,
            "uid": number + 1,
            "state": "settled",
            "sha256": cases[number % len(cases)][0],
            "case_json": cases[number % len(cases)][1],
        }
        for number in range(count)
    )
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == 1000:
            store._db.write(lambda tx, chunk=chunk: tx.execute(insert(intake), chunk))
            chunk = []
    if chunk:
        store._db.write(lambda tx: tx.execute(insert(intake), chunk))


if __name__ == "__main__":
    main()
