"""Thirty mails, a few rules, and a service that is killed."""

import random
import subprocess
import sys
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path

import pytest

SERVICE = Path(__file__).parent / "crashing_service.py"

RULES = """
- rule: register
  when: {message.subject: {contains: Letter}}
  then:
    - register: {series: "5-4", responsible: Katarina Budrik, access: Avalik}
    - forward: {to: adviser.one@ministry.example, note: "For you."}
    - draft: {text: "We have it.", subject: "Re: letter", to: =incoming.from, purpose: acknowledgement}
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


def mail(number: int) -> bytes:
    kind = KINDS[number % 3]
    return (
        f"From: Writer {number} <writer{number}@office.example>\r\n"
        f"To: info@ministry.example\r\nSubject: {kind} number {number}\r\n"
        f"Date: Thu, 29 Feb 2024 10:{number:02}:00 +0200\r\nMessage-ID: <m{number}@office.example>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"This is the text of mail {number}, which says something of its own: {f'word{number} ' * 12}\r\n"
    ).encode()


class Killed:
    """One run: deliver, kill, restart until quiet, and look at what is there."""

    def __init__(self, office, mails: int = 30):
        self.office = office
        self.mails = mails
        for file in (office.folder / "rules").glob("*.yaml"):
            file.unlink()
        (office.folder / "rules" / "10-all.yaml").write_text(RULES)
        mailbox = office.mailbox("registry", "info@ministry.example", office.user)
        mailbox["imap"]["timeout_seconds"] = 1
        office.configure(
            mailboxes=[mailbox],
            outbox={"lease_seconds": 5, "backoff_seconds": 0.05, "attempts": 20},
            smtp={"host": office.sink.host, "port": office.sink.port, "timeout_seconds": 1},
            log="json",
        )
        client = office.imap()
        for number in range(mails):
            client.append("INBOX", "", None, mail(number))
        client.logout()

    def start(self, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, str(SERVICE), str(self.office.config), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def at_step(self, step: str, count: int) -> bool:
        """Run until the step is reached; whether it was."""
        process = self.start(step, str(count))
        process.communicate(timeout=120)
        return process.returncode == -9

    def after(self, seconds: float) -> bool:
        """Kill after so long; whether it still ran."""
        process = self.start()
        time.sleep(seconds)
        process.kill()
        process.communicate(timeout=60)
        return process.returncode == -9

    def until_quiet(self) -> None:
        process = self.start()
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()[-2000:]

    def check(self) -> dict[str, int]:
        """What must hold whatever happened; the counts for the table."""
        office = self.office
        app = office.app()
        counts = app.store.intake.counts()["registry"]
        assert counts == {"settled": self.mails}, counts

        entries = list(app.store.registry.entries())
        letters = sum(number % 3 == 0 for number in range(self.mails))
        assert sorted(entry.counter for entry in entries) == list(
            range(entries[0].counter, entries[0].counter + letters)
        )
        assert len({entry.title for entry in entries}) == letters

        filed = Counter()
        for folder in ("INBOX", "Registered", "Notices", "Questions"):
            filed.update((folder, one["Message-ID"]) for one in office.mails(folder))
        expected = {
            ({0: "Registered", 1: "Notices", 2: "Questions"}[number % 3], f"<m{number}@office.example>")
            for number in range(self.mails)
        }
        assert set(filed) == expected, [
            e["error"] for one in app.store.listing.messages() for e in one.effects if e["error"]
        ][:3]
        assert set(filed.values()) == {1}

        drafts = Counter(one["Message-ID"] for one in office.mails("Drafts"))
        assert len(drafts) == letters
        assert set(drafts.values()) == {1}

        sent = Counter(message_from_bytes(taken.data)["Message-ID"] for taken in office.sink.mails)
        assert all(count == 1 for count in sent.values()), f"twice: {[one for one in sent if sent[one] > 1]}"
        forwards = {
            f"<{effect['key']}@ministry.example>": effect["state"]
            for one in app.store.listing.messages()
            for effect in one.effects
            if effect["kind"] == "forward"
        }
        unknown = [name for name, state in forwards.items() if state == "unknown"]
        assert set(sent) | set(unknown) == set(forwards), "every forward went out, or is shown as unknown"
        status = app.store.intake.effect_counts()["registry"]
        assert status.get("unknown", 0) == len(unknown)
        assert status.get("failed", 0) == 0
        assert status.get("pending", 0) == 0
        return {"unknown": len(unknown), "sent": len(sent)}


@pytest.fixture
def killed(office) -> Killed:
    return Killed(office)


@pytest.fixture
def chance(request) -> random.Random:
    return random.Random(request.node.name)
