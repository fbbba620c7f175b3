"""A directory of .eml files as a mailbox: for trying rules out, for archives, for programs that can only write files.

The directory itself is INBOX, its sub-directories are the folders. Files have no UIDs, so each folder keeps them in a
hidden index: a file that is new, or changed in size or time, gets a new one.
Invariant: under the index's lock no UID is ever given twice, and a file appears in a folder whole or not at all.
"""

import contextlib
import fcntl
import json
import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

from mailrouter import settings
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes import answers
from mailrouter.shell.mailboxes.interface import EpochChanged, Fetched, FolderState, Moved, in_time

INDEX: Final = ".mailrouter-index.json"
LOCK: Final = ".mailrouter-index.lock"
SETTLING_SECONDS: Final = 0.5  # a younger file may still be being written
HEADER_BYTES: Final = 1024 * 1024
_WAIT_SLICE_SECONDS: Final = 0.5


@dataclass(slots=True)
class _Mail:
    """A file of the index."""

    name: str
    size: int
    changed: int  # nanoseconds
    flags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Index:
    """UIDs of a folder's files."""

    uidvalidity: int
    uidnext: int = 1
    mails: dict[int, _Mail] = field(default_factory=dict)


def connect(mailbox: settings.Mailbox) -> "DirectoryConnection":
    """Open the directory; Permanent if there is none."""
    if mailbox.directory is None or not mailbox.directory.is_dir():
        raise Permanent(f"mailbox {mailbox.name!r}: {mailbox.directory} is no directory; make it, or mend 'directory'")
    return DirectoryConnection(mailbox, mailbox.directory)


class DirectoryConnection:
    """An open directory; see interface.MailboxConnection."""

    def __init__(self, mailbox: settings.Mailbox, root: Path) -> None:
        self._mailbox = mailbox
        self._root = root
        self._seen: dict[str, int] = {}  # UIDNEXT at the last look, for idle

    def state(self, folder: str) -> FolderState:
        """See interface."""
        with self._index(folder) as index:
            self._seen[folder] = index.uidnext
            return FolderState(index.uidvalidity, index.uidnext, len(index.mails))

    def uids(self, folder: str, uidvalidity: int, after: int = 0) -> list[int]:
        """See interface."""
        with self._index(folder, uidvalidity) as index:
            self._seen[folder] = index.uidnext
            return sorted(uid for uid in index.mails if uid > after)

    def last_uid_before(self, folder: str, uidvalidity: int, day: date) -> int:
        """See interface. A file came when it was last changed."""
        with self._index(folder, uidvalidity) as index:
            came = {
                uid: datetime.fromtimestamp(mail.changed // 1_000_000_000, UTC) for uid, mail in index.mails.items()
            }
        return max((uid for uid, at in came.items() if at.date() < day), default=0)

    def fetch(self, folder: str, uidvalidity: int, uids: Sequence[int], size_limit: int) -> Iterator[Fetched]:
        """See interface."""
        with self._index(folder, uidvalidity) as index:
            mails = [(uid, index.mails[uid]) for uid in uids if uid in index.mails]
        for uid, mail in mails:
            whole = mail.size <= size_limit
            raw = self._read(folder, mail, None if whole else HEADER_BYTES)
            if raw is not None:
                raw = raw if whole else _header(raw)
                received = datetime.fromtimestamp(mail.changed // 1_000_000_000, UTC)
                yield Fetched(uid, received, len(raw) if whole else mail.size, tuple(mail.flags), raw, whole)

    def append(
        self,
        folder: str,
        raw: bytes,
        flags: Sequence[str] = (),
        received: datetime | None = None,
        not_after: float = math.inf,
    ) -> int | None:
        """See interface."""
        in_time(not_after)
        self.ensure(folder)
        path = self._path(folder)
        with self._index(folder) as index, self._guard(f"append to {folder!r}"):
            uid = index.uidnext
            name = _free_name(path, f"{uid:08}.eml")
            part = path / f".{name}.part"
            with part.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            if received:
                os.utime(part, (received.timestamp(), received.timestamp()))
            part.rename(path / name)
            index.mails[uid] = _mail(path / name, list(flags))
            index.uidnext = uid + 1
        return uid

    def move(self, folder: str, uidvalidity: int, uids: Sequence[int], target: str) -> list[Moved]:
        """See interface."""
        if folder == target:
            with self._index(folder, uidvalidity) as index:
                return [Moved(uid, "moved", uid) if uid in index.mails else Moved(uid, "gone") for uid in uids]
        self.ensure(target)
        moved: list[Moved] = []
        # Always locked in the order of names, so that two opposite moves do not wait for each other.
        with contextlib.ExitStack() as stack:
            indexes = {name: stack.enter_context(self._index(name)) for name in sorted({folder, target})}
            self._check(folder, indexes[folder], uidvalidity)
            for uid in uids:
                mail = indexes[folder].mails.pop(uid, None)
                name = self._rename(folder, mail, target) if mail else None
                if mail and name:
                    new = indexes[target].uidnext
                    indexes[target].mails[new] = _Mail(name, mail.size, mail.changed, mail.flags)
                    indexes[target].uidnext = new + 1
                    moved.append(Moved(uid, "moved", new))
                else:
                    moved.append(Moved(uid, "gone"))
        return moved

    def _rename(self, folder: str, mail: _Mail, target: str) -> str | None:
        """The file's name in the target; None if somebody took it away meanwhile."""
        with self._guard(f"move to {target!r}"), contextlib.suppress(FileNotFoundError):
            name = _free_name(self._path(target), mail.name)
            (self._path(folder) / mail.name).rename(self._path(target) / name)
            return name
        return None

    def remove(self, folder: str, uidvalidity: int, uid: int) -> bool:
        """See interface."""
        with self._index(folder, uidvalidity) as index, self._guard(f"remove from {folder!r}"):
            mail = index.mails.pop(uid, None)
            if mail:
                with contextlib.suppress(FileNotFoundError):
                    (self._path(folder) / mail.name).unlink()
                    return True
        return False

    def flag(self, folder: str, uidvalidity: int, uids: Sequence[int], flags: Sequence[str]) -> None:
        """See interface; flags live in the index."""
        with self._index(folder, uidvalidity) as index:
            for uid in uids:
                if mail := index.mails.get(uid):
                    mail.flags = list(dict.fromkeys([*mail.flags, *flags]))

    def find(self, folder: str, message_id: str) -> list[int]:
        """See interface."""
        return self._find(folder, message_id, "Message-ID")

    def find_references(self, folder: str, message_id: str) -> list[int]:
        """See interface."""
        return self._find(folder, message_id, "In-Reply-To", "References")

    def special(self, use: Literal["drafts", "sent"]) -> str:
        """See interface: directories have no special use, so the configured name."""
        name: str = getattr(self._mailbox.folders, use)
        self.ensure(name)
        return name

    def ensure(self, folder: str) -> None:
        """See interface."""
        with self._guard(f"make folder {folder!r}"):
            self._path(folder).mkdir(parents=True, exist_ok=True)

    def idle(self, folder: str, seconds: float, stop: threading.Event) -> bool:
        """See interface; looks at the directory every half second."""
        deadline = time.monotonic() + seconds
        seen = self._seen.get(folder)
        while not stop.is_set():
            now = self.state(folder).uidnext
            if seen is not None and now > seen:
                return True
            seen = now
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            stop.wait(min(left, _WAIT_SLICE_SECONDS))
        return False

    def close(self) -> None:
        """See interface; nothing is held open."""

    def _find(self, folder: str, message_id: str, *names: str) -> list[int]:
        if not answers.searchable(message_id) or not self._path(folder).is_dir():
            return []
        with self._index(folder) as index:
            mails = sorted(index.mails.items())
        headers = ((uid, _header(self._read(folder, mail, HEADER_BYTES) or b"")) for uid, mail in mails)
        return [uid for uid, header in headers if message_id in answers.ids_in(header, *names)]

    def _read(self, folder: str, mail: _Mail, limit: int | None) -> bytes | None:
        """A file's first bytes; None if it is gone."""
        path = self._path(folder) / mail.name
        with self._guard(f"read {mail.name!r}"), contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            return file.read(limit)
        return None

    def _path(self, folder: str) -> Path:
        """A folder's directory. Names come from rules and their templates: data, never a way out of the mailbox."""
        if folder.upper() == "INBOX":
            return self._root
        pieces = folder.split("/")
        if any(piece in {"", ".", ".."} or piece.startswith(".") or "\0" in piece for piece in pieces):
            raise Permanent(f"mailbox {self._mailbox.name!r}: {folder!r} cannot be a folder's name")
        return self._root.joinpath(*pieces)

    @contextlib.contextmanager
    def _index(self, folder: str, uidvalidity: int | None = None) -> Iterator[_Index]:
        """The folder's index, locked, brought up to date with its files, written back if changed."""
        path = self._path(folder)
        if not path.is_dir():
            name = self._mailbox.name
            raise Permanent(f"mailbox {name!r} has no folder {folder!r}: make it, or name another in the settings")
        with self._guard(f"open folder {folder!r}"), (path / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            index = _load(path)
            before = asdict(index)
            _update(path, index)
            try:
                if uidvalidity is not None:
                    self._check(folder, index, uidvalidity)
                yield index
            finally:
                if asdict(index) != before or not (path / INDEX).exists():
                    _store(path, index)

    def _check(self, folder: str, index: _Index, uidvalidity: int) -> None:
        if index.uidvalidity != uidvalidity:
            raise EpochChanged(
                f"mailbox {self._mailbox.name!r}: UIDVALIDITY of {folder!r} is {index.uidvalidity}, not {uidvalidity}"
            )

    @contextlib.contextmanager
    def _guard(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Temporary(f"mailbox {self._mailbox.name!r}: {doing} failed: {error}") from error


def _mail(path: Path, flags: list[str]) -> _Mail:
    status = path.stat()
    return _Mail(path.name, status.st_size, status.st_mtime_ns, flags)


def _load(path: Path) -> _Index:
    """The index; a new epoch if there is none or it cannot be read: then UIDs given before mean nothing any more."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        stored = json.loads((path / INDEX).read_text("utf-8"))
        mails = {int(uid): _Mail(**mail) for uid, mail in stored["mails"].items()}
        return _Index(int(stored["uidvalidity"]), int(stored["uidnext"]), mails)
    return _Index(int(time.time()))


def _store(path: Path, index: _Index) -> None:
    part = path / f"{INDEX}.part"
    part.write_text(json.dumps(asdict(index), ensure_ascii=False), "utf-8")
    part.replace(path / INDEX)


def _update(path: Path, index: _Index) -> None:
    """Give new and changed files their UIDs, in order of time and name; forget files that are gone."""
    known = {(mail.name, mail.size, mail.changed) for mail in index.mails.values()}
    found = {mail.name: mail for mail in _settled(path, known)}
    for uid, mail in list(index.mails.items()):
        now = found.get(mail.name)
        if now and (now.size, now.changed) == (mail.size, mail.changed):
            del found[mail.name]
        else:
            del index.mails[uid]
    for mail in sorted(found.values(), key=lambda mail: (mail.changed, mail.name)):
        index.mails[index.uidnext] = mail
        index.uidnext += 1


def _settled(path: Path, known: set[tuple[str, int, int]]) -> Iterator[_Mail]:
    """The folder's files; for a new one that was just written, wait the moment that shows whether its writer is done."""
    young = time.time_ns() - int(SETTLING_SECONDS * 1e9)
    mails = list(_listed(path))
    new = [mail for mail in mails if (mail.name, mail.size, mail.changed) not in known]
    if any(young < mail.changed <= time.time_ns() for mail in new):
        time.sleep(SETTLING_SECONDS)
        again = {mail.name: mail for mail in _listed(path)}
        mails = [mail for mail in again.values() if mail in mails]
    yield from mails


def _listed(path: Path) -> Iterator[_Mail]:
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.lower().endswith(".eml") and not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file():
                        status = entry.stat()
                        yield _Mail(entry.name, status.st_size, status.st_mtime_ns)


def _header(start: bytes) -> bytes:
    """The header block at the start of a mail, with the empty line that ends it."""
    ends = [place + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (place := start.find(mark)) >= 0]
    return start[: min(ends)] if ends else start


def _free_name(path: Path, name: str) -> str:
    """The name, or one with a number that no file in the directory has; the folder's lock is held."""
    stem, suffix = name[:-4], name[-4:]
    number = 1
    while (path / name).exists():
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name
