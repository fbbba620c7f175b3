"""Mail files for the command line: .eml, .msg, .mbox, directories, standard input."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ENDINGS: Final = frozenset({".eml", ".msg", ".mbox", ".mbx"})
_FROM_LINE = re.compile(rb"^From \S+[^\r\n]*\d\d:\d\d[^\r\n]*\r?\n", re.MULTILINE)  # RFC 4155
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """One mail of a file: its place in it from 0, and its bytes, or why there are none."""

    file: str
    index: int
    raw: bytes | None
    error: str | None = None


def iter_paths(paths: Iterable[str | Path]) -> Iterator[Found]:
    """The mails in files, directories (recursive, sorted) and "-"; what cannot be read comes with its error."""
    for path in paths:
        if str(path) == "-":
            yield from _mails("-", sys.stdin.buffer.read())
            continue
        for file in _files(Path(path)):
            try:
                content = file.read_bytes()
            except OSError as error:
                yield Found(str(file), 0, None, f"{file}: {error.strerror or error}")
            else:
                yield from _mails(str(file), content)


def _files(path: Path) -> Iterator[Path]:
    """The file itself, whatever its name; of a directory those that are mails by their ending, sorted by path."""
    if not path.is_dir():
        yield path
        return
    try:
        found = sorted(each for each in path.rglob("*") if each.suffix.lower() in _ENDINGS and each.is_file())
    except OSError:
        return
    yield from found


def _mails(file: str, content: bytes) -> Iterator[Found]:
    if not content.startswith(b"From ") or not _FROM_LINE.match(content):
        yield Found(file, 0, content)
        return
    starts = [match for match in _FROM_LINE.finditer(content) if _begins_mail(content, match.start(), match.end())]
    for index, match in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(content)
        raw = content[match.end() : end]
        raw = raw[: -2 if raw.endswith(b"\r\n\r\n") else -1] if raw.endswith((b"\n\n", b"\r\n\r\n")) else raw
        yield Found(file, index, _QUOTED_FROM.sub(rb"\1", raw))


def _begins_mail(content: bytes, start: int, end: int) -> bool:
    """Whether a "From " line begins a mail: a blank line above, a header below."""
    above = start == 0 or content[max(0, start - 4) : start].endswith((b"\n\n", b"\r\n\r\n"))
    return above and bool(re.match(rb"[!-9;-~]+:", content[end : end + 200]))
