"""The parts of IMAP's language that no client library reads for us: UID sets, COPYUID, APPENDUID, Message-IDs.

Invariant: pure, and nothing a server says can make it run long or hold much.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from mailrouter.core.headers import message_ids, split_headers

MAX_SET = 6_000  # characters of a UID set in one command; RFC 2683 § 3.2.1.5 grants a line of 8,000 octets
BATCH_BYTES = 8 * 1024 * 1024  # of mail in one FETCH answer; a single larger mail has one of its own
_COPYUID = re.compile(rb"^(\d+) ([\d:,*]+) ([\d:,*]+)")
_APPENDUID = re.compile(rb"\[APPENDUID \d+ (\d+)\]", re.IGNORECASE)
_KEYWORD = re.compile(r"\\?[^\s(){%*\"\\\]\x00-\x1f\x7f-\U0010ffff]+")  # RFC 3501 § 9: an atom


def uid_sets(uids: Iterable[int], limit: int = MAX_SET) -> Iterator[tuple[list[int], str]]:
    """UIDs → (the UIDs, their set as a command prints it) in as few commands as the line limit allows.

    Only UIDs that were asked for are in a set: "1:3" stands for 1, 2 and 3 being asked for.
    """
    members: list[int] = []
    ranges: list[list[int]] = []
    length = 0
    for uid in sorted(set(uids)):
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1][1] = uid
            members.append(uid)
            continue
        if ranges and length > limit - 24:  # a range of two UIDs of ten digits, a colon and a comma
            yield members, _set(ranges)
            members, ranges, length = [], [], 0
        ranges.append([uid, uid])
        members.append(uid)
        length += len(str(uid)) * 2 + 2
    if ranges:
        yield members, _set(ranges)


def _set(ranges: Sequence[Sequence[int]]) -> str:
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)


def copied(lines: Iterable[bytes | None], asked: Sequence[int]) -> dict[int, int]:
    """COPYUID lines (RFC 4315 § 3) → old UID: new UID; both sets count in the order printed.

    A line whose sets do not match, or that names what was not asked for, proves nothing.
    """
    pairs: dict[int, int] = {}
    wanted = set(asked)
    for line in lines:
        match = _COPYUID.match(line or b"")
        if match:
            sources = list(islice(_expand(match[2]), len(wanted) + 1))
            targets = list(islice(_expand(match[3]), len(wanted) + 1))
            if len(sources) == len(targets) and wanted.issuperset(sources):
                pairs |= dict(zip(sources, targets, strict=True))
    return pairs


def _expand(printed: bytes) -> Iterator[int]:
    for piece in printed.split(b","):
        first, _, last = piece.partition(b":")
        if not first.isdigit() or (last and not last.isdigit()):
            return
        low, high = sorted((int(first), int(last or first)))  # RFC 3501 § 9: 4:2 is 2:4
        yield from range(low, high + 1)


def appended(answer: bytes) -> int | None:
    """The new UID in the answer to APPEND, if the server tells it (RFC 4315 § 3)."""
    match = _APPENDUID.search(answer)
    return int(match[1]) if match else None


def ids_in(header: bytes, *names: str) -> tuple[str, ...]:
    """The Message-IDs in these fields of a header block, as they are compared: without white space."""
    fields, _ = split_headers(header)
    wanted = {name.lower() for name in names}
    return tuple(chain.from_iterable(message_ids(value) for name, value in fields if name.lower() in wanted))


def searchable(message_id: str) -> bool:
    """Whether a Message-ID may stand in a command at all: it came from outside, so no control characters, no blanks."""
    return bool(message_id) and len(message_id) < 1000 and not re.search(r"[\x00-\x20\x7f]", message_id)


def is_flag(flag: str) -> bool:
    """Whether this is a system flag or a keyword that IMAP can carry."""
    return _KEYWORD.fullmatch(flag) is not None


def chunks(sizes: Mapping[int, int], size_limit: int) -> Iterator[tuple[list[int], bool]]:
    """UIDs to fetch together, in their order, and whether whole; one over the limit comes alone, by its headers."""
    chunk: list[int] = []
    total = 0
    for uid, size in sorted(sizes.items()):
        over = size > size_limit
        if chunk and (over or total + size > BATCH_BYTES):
            yield chunk, True
            chunk, total = [], 0
        if over:
            yield [uid], False
        else:
            chunk.append(uid)
            total += size
    if chunk:
        yield chunk, True
