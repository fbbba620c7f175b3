"""How fast the whole service is: python benchmarks/service.py [--count 2000] [--only service] [--workers 2]

Mails of 12 kB on average lie in Dovecot; the service fetches, reads, decides, writes its ledger, files in four folders
and forwards one class. What came out is compared by Message-ID before a time counts. In the same run, on the same mails:
a naive loop without a ledger (fetch, `email`, four subject tests, MOVE, SMTP), with compat32 and with policy.default, and
fdm where Debian has it (it cannot MOVE, so it files into local maildirs). Times are of whole processes, from start to end.
"""

import argparse
import email
import email.policy
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))

import local_dovecot
import local_smtp
import made_mails
from imapclient import IMAPClient
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PASSWORD = "MAILROUTER_BENCHMARK_PASSWORD"
ADVISER = "adviser@ministry.example"
RULES = "\n".join(
    f"- rule: {kind.lower()}\n  when: {{message.subject: {{contains: {kind}}}}}\n  then:\n"
    + (f'    - forward: {{to: {ADVISER}, note: "For you."}}\n' if kind == "Invoice" else "")
    + f"    - move: {kind}s"
    for kind in made_mails.KINDS
)


@dataclass
class Result:
    """One runner's figures."""

    name: str
    count: int
    seconds: float
    peak_mebibytes: float
    wrong: str = ""

    def line(self) -> str:
        rate = f"{self.count / self.seconds:8.0f} mails/s" if not self.wrong else f"WRONG: {self.wrong}"
        return f"{self.name:34} {self.count:6} mails {self.seconds:8.2f} s {rate}  {self.peak_mebibytes:5.0f} MiB"


def watched(command: list[str], **options: object) -> tuple[float, float, int]:
    """Run a program: seconds, its own peak memory in MiB (not its children's), exit code."""
    begun = time.monotonic()
    process = subprocess.Popen(command, **options)
    peak = [0.0]

    def look() -> None:
        while process.poll() is None:
            try:
                text = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            for line in text.splitlines():
                if line.startswith("VmHWM:"):
                    peak[0] = max(peak[0], int(line.split()[1]) / 1024)
            time.sleep(0.1)

    watcher = threading.Thread(target=look)
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - begun
    watcher.join()
    return seconds, peak[0], code


def configure(
    folder: Path, dovecot: local_dovecot.DovecotServer, sink: local_smtp.SmtpSink, users: list[str], workers: int
) -> None:
    """Settings and rules for a service on these mailboxes."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    boxes = [
        {
            "name": f"registry{number}",
            "address": "info@ministry.example",
            "imap": {
                "host": dovecot.host,
                "port": dovecot.port,
                "tls": False,
                "user": user,
                "password_env": PASSWORD,
            },
        }
        for number, user in enumerate(users)
    ]
    settings = {
        "institution": {"name": "Siseministeerium", "domains": ["ministry.example"]},
        "trust": {"internal": "own-domains"},
        "mailboxes": boxes,
        "smtp": {"host": sink.host, "port": sink.port},
        "store": {"url": f"sqlite:///{folder / 'mailrouter.db'}"},
        "reading": {"workers": workers},
        "outbox": {"per_address": 1_000_000},
    }
    with (folder / "config" / "mailrouter.yaml").open("w") as file:
        YAML().dump(settings, file)


def service(
    folder: Path, dovecot: local_dovecot.DovecotServer, sink: local_smtp.SmtpSink, user: str, workers: int
) -> tuple[float, float, int]:
    """`mailrouter run --once`."""
    configure(folder, dovecot, sink, [user], workers)
    command = [sys.executable, "-m", "mailrouter", "run", "--once", "--config", str(folder / "config")]
    if os.environ.get("PROFILE"):
        command[1:3] = ["-m", "cProfile", "-o", os.environ["PROFILE"], "-m", "mailrouter"]
    with (folder / "log").open("w") as log:
        figures = watched(command, stderr=log, env={**os.environ, PASSWORD: dovecot.password})
    if os.environ.get("KEEP"):
        shutil.copy(folder / "log", os.environ["KEEP"])
    return figures


def naive(policy: str) -> Callable[..., tuple[float, float, int]]:
    def run(
        _folder: Path, dovecot: local_dovecot.DovecotServer, sink: local_smtp.SmtpSink, user: str, _workers: int
    ) -> tuple[float, float, int]:
        arguments = [str(dovecot.port), user, dovecot.password, str(sink.port), policy]
        return watched([sys.executable, __file__, "--naive", *arguments])

    return run


def naive_loop(port: int, user: str, password: str, smtp_port: int, policy: str) -> None:
    """What anybody would write first: nothing is remembered, a crash loses or doubles."""
    chosen = email.policy.default if policy == "default" else email.policy.compat32
    client = IMAPClient("127.0.0.1", port, ssl=False)
    client.login(user, password)
    for kind in made_mails.KINDS:
        client.create_folder(f"{kind}s")
    client.select_folder("INBOX")
    uids = client.search("ALL")
    with smtplib.SMTP("127.0.0.1", smtp_port) as out:
        for start in range(0, len(uids), 100):
            places: dict[str, list[int]] = {}
            for uid, items in client.fetch(uids[start : start + 100], ["BODY.PEEK[]"]).items():
                raw = items[b"BODY[]"]
                message = email.message_from_bytes(raw, policy=chosen)
                subject = str(message["Subject"])
                for kind in made_mails.KINDS:
                    if kind in subject:
                        places.setdefault(f"{kind}s", []).append(uid)
                        if kind == "Invoice":
                            out.sendmail("info@ministry.example", [ADVISER], raw)
            for place, members in places.items():
                client.move(members, place)
    client.logout()


def fdm(
    folder: Path, dovecot: local_dovecot.DovecotServer, sink: local_smtp.SmtpSink, user: str, _workers: int
) -> tuple[float, float, int]:
    """fdm, filing into local maildirs."""
    lines = [
        "set unmatched-mail keep",
        'set default-user "root"' if os.geteuid() == 0 else "",
        f'account "a" imap server "{dovecot.host}" port {dovecot.port} user "{user}" pass "{dovecot.password}"',
        f'action "forward" smtp server "{sink.host}" port {sink.port} from "info@ministry.example" to "{ADVISER}"',
    ]
    for kind in made_mails.KINDS:
        lines.append(f'action "{kind}" maildir "{folder}/{kind}s"')
        actions = f'"forward" "{kind}"' if kind == "Invoice" else f'"{kind}"'
        lines.append(f'match "^Subject:.*{kind}" in headers actions {{ {actions} }}')
    (folder / "fdm.conf").write_text("\n".join(lines) + "\n")
    (folder / "fdm.conf").chmod(0o600)
    with (folder / "log").open("w") as log:
        return watched(["fdm", "-l", "-f", str(folder / "fdm.conf"), "fetch"], stdout=log, stderr=log)


def wrong(
    count: int, dovecot: local_dovecot.DovecotServer, sink: local_smtp.SmtpSink, user: str, folder: Path, *, local: bool
) -> str:
    """ "" if every mail is where it belongs, once, and each of the one class was forwarded once."""
    for index, kind in enumerate(made_mails.KINDS):
        expected = {f"<bench{number}@office.example>" for number in range(index, count, 4)}
        if local:
            raws = [path.read_bytes() for path in (folder / f"{kind}s").glob("[cn]*/*")]
        else:
            raws = dovecot.mails(user, f"{kind}s")
        found = [str(message_from_bytes(raw)["Message-ID"]) for raw in raws]
        if len(found) != len(expected) or set(found) != expected:
            return f"{kind}s: {len(found)} of {len(expected)}"
    forwarded = [number for taken in sink.mails for number in _numbers(taken.data)]
    if sorted(forwarded) != list(range(0, count, 4)):
        return f"forwards: {len(forwarded)} of {len(range(0, count, 4))}"
    return ""


def _numbers(data: bytes) -> list[int]:
    """The numbers of the mails that a forward carries."""
    marks = {part.split(b"@")[0] for part in data.split(b"<bench")[1:]}
    return [int(mark) for mark in marks if mark.isdigit()]


def main() -> int:
    if sys.argv[1:2] == ["--naive"]:
        port, user, password, smtp_port, policy = sys.argv[2:]
        naive_loop(int(port), user, password, int(smtp_port), policy)
        return 0
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--only", default="")
    given = options.parse_args()
    runners: list[tuple[str, Callable[..., tuple[float, float, int]]]] = [
        ("mailrouter", service),
        ("naive loop, compat32, no ledger", naive("compat32")),
        ("naive loop, policy.default", naive("default")),
    ]
    if shutil.which("fdm"):
        runners.append(("fdm, local maildirs, no ledger", fdm))
    else:
        print("fdm is not installed (Debian package fdm): left out")
    failed = 0
    with local_dovecot.dovecot() as dovecot:
        for name, runner in runners:
            if given.only and given.only not in name:
                continue
            with tempfile.TemporaryDirectory(prefix="bench-") as place, local_smtp.smtp_sink() as sink:
                user = dovecot.user("bench")
                for start in range(0, given.count, 500):
                    dovecot.deliver(user, *(made_mails.mail(n) for n in range(start, min(start + 500, given.count))))
                folder = Path(place)
                seconds, peak, code = runner(folder, dovecot, sink, user, given.workers)
                said = wrong(given.count, dovecot, sink, user, folder, local=runner is fdm)
                if (code or said) and (folder / "log").exists():
                    print("\n".join((folder / "log").read_text().splitlines()[-5:]))
                failed += bool(said)
                print(Result(name, given.count, seconds, peak, said).line(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
