"""A mirror in a CSV file: one line an entry, for spreadsheets and for systems that read files.

Repeating is safe: the effect's key stands on the line and is looked for first. Invariant: a line is written whole and
flushed to disk, or not at all; several processes wait for each other (flock).
"""

import csv
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import BaseModel, ConfigDict, Field

from mailrouter.core.register import Correspondent, Entry
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.registers.interface import Document, Handed, OpenMailbox, Trace

COLUMNS: Final = (
    "key", "number", "registered", "direction", "title", "function", "series", "file", "access", "access_basis",
    "access_until", "responsible", "state", "sender_institution", "sender_name", "sender_address", "sender_reference",
    "sender_date", "arrival", "due", "answered", "recipients", "relations", "message",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


class SETTINGS(BaseModel):
    """`registers.<name>` of kind csvfile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="The file; it is made with a header line if it is not there.")
    delimiter: str = Field(";", min_length=1, max_length=1, description="What stands between columns.")


def connect(settings: SETTINGS, open_mailbox: OpenMailbox) -> "CsvFile":
    """The mirror; the file is opened for each document."""
    del open_mailbox
    return CsvFile(settings)


class CsvFile:
    """See the module."""

    needed_seconds = 10.0

    def __init__(self, settings: SETTINGS) -> None:
        self._settings = settings

    def prepare(self, document: Document) -> None:
        """The folder must be there: a file in a new folder is one that nobody reads."""
        if not self._settings.path.parent.is_dir():
            raise Permanent(f"no folder {self._settings.path.parent}: make it, or mend registers.….path")
        if not document.entry.number:
            raise Permanent("an entry without a number cannot be handed over")

    def trace(self, document: Document) -> Trace:
        """The key stands in the file, or it does not."""
        if not self._settings.path.exists():
            return "not there"
        with self._open() as file:
            return "there" if document.key in self._keys(file) else "not there"

    def hand_over(self, document: Document) -> Handed:
        """Append the line, once."""
        with self._open() as file:
            keys = self._keys(file)
            if document.key in keys:
                return Handed(document.key)
            lines = [] if keys or file.tell() else [list(COLUMNS)]
            lines.append(list(map(_harmless, _row(document.key, document.entry))))
            self._write(file, lines)
        return Handed(document.key)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        try:
            with self._settings.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except PermissionError as error:
            raise Permanent(f"{self._settings.path} cannot be written: {error.strerror}") from error
        except OSError as error:
            raise Temporary(f"{self._settings.path}: {error.strerror or error}") from error

    def _keys(self, file: BinaryIO) -> set[str]:
        """The keys in the file; it is left standing at its end."""
        file.seek(0)
        text = io.StringIO(file.read().decode("utf-8-sig", "replace"), newline="")
        found = {row[0] for row in csv.reader(text, delimiter=self._settings.delimiter) if row}
        file.seek(0, os.SEEK_END)
        return found - {COLUMNS[0]}

    def _write(self, file: BinaryIO, lines: list[list[str]]) -> None:
        """Append whole lines; what a crash or a full disk left of one is cut off again."""
        text = io.StringIO()
        csv.writer(text, delimiter=self._settings.delimiter, lineterminator="\r\n").writerows(lines)
        end = file.seek(0, os.SEEK_END)
        mark = b"\xef\xbb\xbf" if end == 0 else b""  # by which spreadsheets know UTF-8
        try:
            file.write(mark + text.getvalue().encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def _row(key: str, entry: Entry) -> list[str]:
    sender = entry.sender or Correspondent(None, "", None)
    return [
        key,
        entry.number or "",
        entry.registered or "",
        entry.direction,
        entry.title,
        entry.function,
        entry.series,
        entry.file,
        entry.access,
        entry.access_basis or "",
        entry.access_until or "",
        entry.responsible.name if entry.responsible else "",
        entry.state,
        sender.institution or "",
        sender.name,
        sender.address or "",
        entry.sender_reference or "",
        entry.sender_date or "",
        entry.arrival or "",
        entry.due or "",
        entry.answered or "",
        ", ".join(party.institution or party.name for party in entry.recipients),
        ", ".join(f"{relation.kind} {relation.number}" for relation in entry.relations),
        entry.message,
    ]


def _harmless(value: str) -> str:
    """A cell that no spreadsheet takes for a formula, on one line."""
    flat = " ".join(value.split())
    return f"'{flat}" if flat.startswith(_FORMULA) else flat
