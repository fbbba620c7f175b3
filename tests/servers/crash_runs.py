"""Thirty mails, a few rules, and a service that is killed or stopped: what the crash tests and `chaos` share.

Invariant: each run has a mailbox, a store and a sink of its own; `check` looks only at what is there outside, and at
what the service itself shows of it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mailrouter import bootstrap

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "tests" / "scenarios" / "crash" / "crashing_service.py"
PASSWORD = "MAILROUTER_TEST_PASSWORD"

RULES = """
- rule: register
  when: {message.subject: {contains: Letter}}
  then:
    - register: {series: "5-4", responsible: Katarina Budrik, access: Avalik}
    - forward: {to: adviser.one@ministry.example, note: "For you."}
    - draft: {text: "We have it.", subject: "Re: letter", to: =incoming.from, purpose: reply, answers: true}
    - move: Registered
- rule: file
  when: {message.subject: {contains: Notice}}
  then:
    - forward: {to: adviser.two@ministry.example, note: "For information."}
    - move: Notices
- rule: flag
  when: {message.subject: {contains: Question}}
  then:
    - flag: \\Flagged
    - move: Questions
"""
KINDS = ("Letter", "Notice", "Question")
FOLDERS = {0: "Registered", 1: "Notices", 2: "Questions"}


def mail(number: int) -> bytes:
    """One of the mails; its kind is the number modulo three."""
    kind = KINDS[number % 3]
    return (
        f"From: Writer {number} <writer{number}@office.example>\r\n"
        f"To: info@ministry.example\r\nSubject: {kind} number {number}\r\n"
        f"Date: Thu, 29 Feb 2024 10:{number:02}:00 +0200\r\nMessage-ID: <m{number}@office.example>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"This is the text of mail {number}, which says something of its own: {f'word{number} ' * 12}\r\n"
    ).encode()


class Services:
    """Starts services by forking one that has loaded everything (crashing_service.py)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVICE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip  # no threads of a number library before the fork
        self.points: list[str] = self._answer()["points"]

    def start(self, **order: Any) -> int:
        """The process id of a new service."""
        return int(self._ask(order)["pid"])

    def wait(self, pid: int) -> int:
        """How it ended: 0, or minus the signal."""
        return int(self._ask({"wait": pid})["status"])

    def close(self) -> None:
        """End the process that forks, and what it forked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextlib.contextmanager
def services() -> Iterator[Services]:
    """Services to start, ended with the block."""
    running = Services()
    try:
        yield running
    finally:
        running.close()


class Run:
    """Deliver, kill, restart until quiet, approve, kill again, and look at what is there."""

    def __init__(
        self,
        folder: Path,
        dovecot: Any,
        sink: Any,
        forks: Services,
        url: str,
        mails: int = 30,
        lease_seconds: float = 5,
        imap_port: int | None = None,  # of a proxy
        smtp_port: int | None = None,
    ) -> None:
        self.ports = (imap_port or dovecot.port, smtp_port or sink.port)
        self.folder, self.dovecot, self.sink, self.forks, self.mails = folder, dovecot, sink, forks, mails
        self.user = dovecot.user("chaos")
        self.log = folder / "log"
        self.lease_seconds = lease_seconds
        self.letters = sum(number % 3 == 0 for number in range(mails))
        os.environ[PASSWORD] = dovecot.password
        for name in ("config", "templates"):
            shutil.copytree(ROOT / name, folder / name)
        (folder / "rules").mkdir()
        (folder / "rules" / "10-all.yaml").write_text(RULES)
        self._configure(url)
        dovecot.deliver(self.user, *(mail(number) for number in range(mails)))

    def _configure(self, url: str) -> None:
        imap = {"host": self.dovecot.host, "port": self.ports[0], "tls": False, "user": self.user,
                "password_env": PASSWORD, "timeout_seconds": 1}  # fmt: skip
        settings = {
            "institution": {"name": "Siseministeerium", "domains": ["ministry.example"]},
            "clock": "2024-02-29T13:06:00+02:00",
            "trust": {"internal": "own-domains"},
            "mailboxes": [{"name": "registry", "address": "info@ministry.example", "poll_seconds": 1, "imap": imap}],
            "smtp": {"host": self.sink.host, "port": self.ports[1], "timeout_seconds": 1},
            "store": {"url": url},
            "rules": "../rules",
            "templates": "../templates",
            "outbox": {"lease_seconds": self.lease_seconds, "backoff_seconds": 0.05, "attempts": 20, "batch": 10},
        }
        with (self.folder / "config" / "mailrouter.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(settings, file)

    @property
    def config(self) -> Path:
        """The folder of settings."""
        return self.folder / "config"

    # What is done to the service -----------------------------------------------------------------------------------

    def start(
        self, *, serve: bool = False, children: bool = False, step: str = "", count: int = 1, number: int = 9
    ) -> int:
        """The process id of a service on these settings."""
        order = {"config": str(self.config), "log": str(self.log), "serve": serve, "children": children,
                 "environment": {PASSWORD: self.dovecot.password}}  # fmt: skip
        return self.forks.start(**order, expected=self.mails, step=step, count=count, signal=number)

    def killed_at(self, step: str, count: int = 1, *, serve: bool = False) -> bool:
        """Run until it kills itself at the step; whether it was reached."""
        return self.forks.wait(self.start(serve=serve, step=step, count=count)) == -signal.SIGKILL

    def killed_after(self, seconds: float, *, serve: bool = False, children: bool = False) -> bool:
        """Kill it so long after its start; whether it still ran."""
        pid = self.start(serve=serve, children=children)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return self.forks.wait(pid) == -signal.SIGKILL

    def killed_when_stored(self, count: int) -> bool:
        """Kill it when the SMTP server has stored so many mails and has not said so yet."""
        pids: list[int] = []

        def strike(_mail: Any) -> None:
            if len(self.sink.mails) == count:
                os.kill(pids[0], signal.SIGKILL)

        self.sink.on_stored = strike
        pids.append(self.start())
        status = self.forks.wait(pids[0])
        self.sink.on_stored = None
        return status == -signal.SIGKILL

    def until_quiet(self, *, serve: bool = False, children: bool = False) -> None:
        """Run until nothing waits."""
        status = self.forks.wait(self.start(serve=serve, children=children))
        assert status == 0, (status, self.log.read_text()[-3000:])

    def approve(self) -> None:
        """A person approves every draft that waits."""
        with self._app() as app:
            classification = app.rulebook().current().classification
            for draft in app.store.drafts.all(["waiting"]):
                at = datetime.fromisoformat("2024-02-29T14:00:00+02:00")
                app.store.drafts.approve(draft.id, who="Katarina Budrik", at=at, classification=classification)

    @contextlib.contextmanager
    def _app(self) -> Iterator[bootstrap.App]:
        app = bootstrap.app(self.config)
        try:
            yield app
        finally:
            app.close()

    # What must hold ------------------------------------------------------------------------------------------------

    def check(self, *, approved: bool = False) -> dict[str, int]:
        """What must hold whatever happened; the counts for the table."""
        with self._app() as app:
            counts = app.store.intake.counts()["registry"]
            assert counts == {"settled": self.mails}, counts
            self._register(app, approved)
            effects = {effect["key"]: effect for one in app.store.listing.messages() for effect in one.effects}
            drafts = app.store.drafts.all()
            status = app.store.intake.effect_counts()["registry"]
        errors = [effect["error"] for effect in effects.values() if effect["error"]][:5]
        self._filed(errors)
        self._drafts(approved, drafts)
        sent = Counter(str(message_from_bytes(taken.data)["Message-ID"]) for taken in self.sink.mails)
        assert set(sent.values()) <= {1}, f"twice: {[one for one in sent if sent[one] > 1]}"
        unknown = {key for key, effect in effects.items() if effect["state"] == "unknown"}
        forwards = {key for key, effect in effects.items() if effect["kind"] == "forward"}
        gone_out = {name.strip("<>").split("@")[0] for name in sent}
        missing = forwards - gone_out - unknown
        assert not missing, f"neither sent nor shown as unknown: {missing}; {errors}"
        if approved:
            for draft in drafts:
                key = next(k for k, e in effects.items() if e["kind"] == "send" and e["payload"]["draft"] == draft.id)
                assert draft.message_key in gone_out or key in unknown, (draft.state, effects[key])
        assert {effect["kind"] for key, effect in effects.items() if key in unknown} <= {"forward", "send"}
        assert status.get("unknown", 0) == len(unknown), "every unknown outcome is shown"
        assert (status.get("failed", 0), status.get("pending", 0)) == (0, 0), (status, errors)
        return {"sent": len(sent), "unknown": len(unknown)}

    def _register(self, app: bootstrap.App, approved: bool) -> None:
        entries = list(app.store.registry.entries())
        incoming = [entry for entry in entries if entry.direction == "incoming"]
        first = min(entry.counter or 0 for entry in incoming)
        assert sorted(entry.counter or 0 for entry in incoming) == list(range(first, first + self.letters))
        assert len({entry.title for entry in incoming}) == self.letters
        assert len({entry.number for entry in entries}) == len(entries), "a number used twice"
        answers = sorted(entry.number or "" for entry in entries if entry.direction == "outgoing")
        wanted = sorted(f"5-4/{entry.counter}-2" for entry in incoming) if approved else []
        assert answers == wanted, (answers, wanted)

    def _filed(self, errors: list[str]) -> None:
        filed: Counter[tuple[str, str]] = Counter()
        for folder in ("INBOX", *FOLDERS.values()):
            filed.update((folder, name) for name in self._message_ids(folder))
        expected = {(FOLDERS[number % 3], f"<m{number}@office.example>") for number in range(self.mails)}
        assert set(filed) == expected, (set(filed) ^ expected, errors)
        assert set(filed.values()) == {1}, "filed twice"

    def _drafts(self, approved: bool, drafts: list[Any]) -> None:
        lying = Counter(self._message_ids("Drafts"))
        assert set(lying.values()) <= {1}, "a draft lies there twice"
        assert len(drafts) == self.letters
        names = {f"<{draft.message_key}@ministry.example>" for draft in drafts}
        if approved:
            held = {f"<{draft.message_key}@ministry.example>" for draft in drafts if draft.state == "approved"}
            assert set(lying) <= held, "a draft that was sent still lies in Drafts"
            sent = Counter(self._message_ids("Sent Items"))
            assert set(sent) <= names
            assert set(sent.values()) <= {1}
        else:
            assert set(lying) == names, (len(lying), len(names))

    def _message_ids(self, folder: str) -> list[str]:
        return [str(message_from_bytes(raw)["Message-ID"]) for raw in self.dovecot.mails(self.user, folder)]


def stopped(pid: int, seconds: float = 20) -> bool:
    """Wait until the process has stopped (SIGSTOP); False if it ended or never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return False
        if state in {"T", "Z"}:
            return state == "T"
        time.sleep(0.01)
    return False
