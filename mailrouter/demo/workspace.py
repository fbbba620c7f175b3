"""The demo's folder: settings that point at the local servers, copies of the rules and templates, the store.

Invariant: a folder that the demo did not write is never changed; rules and templates that somebody edited stay.
"""

import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mailrouter import settings
from mailrouter.demo.samples import shipped

USER = "registry"
MARK = "# Written by `mailrouter demo`: its servers' ports and its calendar; the rest is as shipped.\n"
STORE = "mailrouter.db"
_PASSWORD = "imap-password"  # noqa: S105 - the file's name


class NotOurs(Exception):  # noqa: N818 - says what is the matter
    """The folder belongs to something else."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """DIR of the demo."""

    directory: Path
    password: str
    kept: tuple[str, ...]  # what was there already and stays

    @property
    def config(self) -> Path:
        """The folder that every command takes as --config."""
        return self.directory / "config"

    @property
    def sent(self) -> Path:
        """Where the mails lie that the sink took."""
        return self.directory / "sent"

    def write_settings(self, imap_port: int, smtp_port: int, clock: datetime) -> None:
        """DIR/config/mailrouter.yaml, pointing at the servers, the calendar standing at `clock`."""
        yaml = YAML()  # keeps the shipped file's comments
        yaml.width = 200
        data: Any = yaml.load((shipped() / "config" / settings.FILE).read_text("utf-8"))
        data["clock"] = clock.isoformat(timespec="seconds")
        data["mailboxes"][0]["imap"] = {
            "host": "127.0.0.1", "port": imap_port, "tls": False, "user": USER, "password_file": f"../{_PASSWORD}",
        }  # fmt: skip
        data["smtp"] = {"host": "127.0.0.1", "port": smtp_port, "tls": False}
        data["store"] = {"url": f"sqlite:///../{STORE}"}
        data["log"] = "console"
        path = self.config / settings.FILE
        with path.open("w", encoding="utf-8") as file:
            file.write(MARK)
            yaml.dump(data, file)


def require_ours(directory: Path) -> None:
    """NotOurs if the folder has settings that the demo did not write; nothing is changed."""
    ours = directory / "config" / settings.FILE
    if ours.exists() and not ours.read_text("utf-8").startswith(MARK.rstrip("\n")):
        raise NotOurs(f"{ours} is not the demo's; name another folder with --dir, so that nothing of yours is changed")


def prepare(directory: Path) -> Workspace:
    """Make or renew the demo's folder: a fresh store and an empty sink; edited rules, templates and directory stay."""
    require_ours(directory)
    kept = [name for name in ("rules", "templates") if _copy(shipped() / name, directory / name)]
    (directory / "config").mkdir(parents=True, exist_ok=True)
    others = (path for path in sorted((shipped() / "config").glob("*.yaml")) if path.name != settings.FILE)
    kept.extend(f"config/{path.name}" for path in others if _copy(path, directory / "config" / path.name))
    for leftover in directory.glob(f"{STORE}*"):
        if leftover.suffix != ".node":  # the lock that the caller holds
            leftover.unlink()
    shutil.rmtree(directory / "sent", ignore_errors=True)
    password = secrets.token_urlsafe(12)
    secret = directory / _PASSWORD
    secret.touch(mode=0o600)
    secret.write_text(password + "\n", "utf-8")
    return Workspace(directory, password, tuple(kept))


def _copy(source: Path, target: Path) -> bool:
    """Copy a file or folder that is not there yet; whether it was there and differs from the shipped one."""
    if not target.exists():
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        return False
    return _texts(source) != _texts(target)


def _texts(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return {str(one.relative_to(path)): one.read_bytes() for one in files}
