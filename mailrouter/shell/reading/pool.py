"""Reading mails in child processes: what crashes, hangs or eats memory there is a hold here, and the next mail is read.

Invariant: every mail that goes in comes out as a Reading, in its order; at most `workers` children live, they end after
a minute without work, and none outlives this process.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from pebble import ProcessExpired, ProcessPool

from mailrouter.core.containers import Limits
from mailrouter.core.mail import Reading
from mailrouter.core.outcomes import Hold
from mailrouter.shell.reading import child

_IDLE_SECONDS: Final = 60.0
_BATCH_BYTES: Final = 1024 * 1024  # mails go to a child together up to this size
_BATCH_MAILS: Final = 16  # so many that the way is cheap, so few that all children end a chunk at the same time
_AHEAD: Final = 3  # batches in flight for each worker


@dataclass(frozen=True, slots=True)
class _Batch:
    """Mails that went to a child together, and the future of their readings."""

    mails: list[bytes]
    future: Any
    memory: int | None = None  # the file descriptor of a large mail in our memory

    def release(self) -> None:
        """Give back the memory of a large mail."""
        if self.memory is not None:
            os.close(self.memory)


class ReadingPool:
    """Children that read mails. `seconds` and `mebibytes` are the limits of one mail and one child.

    Thread-safe. `ocr` is None or "tesseract". Close it when it is no longer needed.
    """

    def __init__(
        self,
        seconds: float,
        mebibytes: int,
        workers: int = 1,
        ocr: Literal["tesseract"] | None = None,
        *,
        limits: Limits | None = None,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._mebibytes = mebibytes
        self._workers = workers
        self._ocr = ocr
        self._limits = limits or Limits()
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._pool: ProcessPool | None = None
        self._keeper: threading.Thread | None = None
        self._users = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def read(self, raw: bytes) -> Reading:
        """One mail. Never raises: what the child could not read is held, with what its headers alone give."""
        return next(iter(self.read_many([raw])))

    def read_many(self, mails: Iterable[bytes]) -> Iterator[Reading]:
        """Mails in their order, a few batches ahead of the one that is asked for."""
        waiting: deque[_Batch] = deque()
        with self._used():
            try:
                for batch in _batches(mails):
                    waiting.append(self._send(batch))
                    if len(waiting) >= _AHEAD * self._workers:
                        yield from self._receive(waiting.popleft())
                while waiting:
                    yield from self._receive(waiting.popleft())
            finally:
                for unasked in waiting:
                    unasked.future.cancel()
                    unasked.release()

    def close(self) -> None:
        """End the children. Reading again after it raises RuntimeError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            keeper = self._keeper
        if keeper is not None:
            keeper.join()

    def _send(self, mails: list[bytes]) -> _Batch:
        pool = self._running()
        memory = _in_memory(mails[0]) if len(mails) == 1 and len(mails[0]) > _BATCH_BYTES else None
        handed: list[bytes | str] = [*mails] if memory is None else [f"/proc/{os.getpid()}/fd/{memory}"]
        arguments = (handed, self._limits, self._seconds, self._ocr)
        return _Batch(mails, pool.schedule(child.read_mails, args=arguments, timeout=self._seconds), memory)

    def _receive(self, batch: _Batch) -> Iterator[Reading]:
        try:
            readings = batch.future.result()
        except Exception as error:  # noqa: BLE001  # whatever went wrong in the child is a hold here
            from mailrouter.core.reading import read_headers  # noqa: PLC0415 - the reader, which the parent seldom needs

            readings = [] if len(batch.mails) > 1 else [read_headers(batch.mails[0], self._hold(error))]
        finally:
            batch.release()
        yield from readings
        if not readings:  # one of them it was: each by itself
            for raw in batch.mails:
                yield from self._receive(self._send([raw]))

    def _hold(self, error: Exception) -> Hold:
        return Hold("unreadable", self._reason(error))

    def _reason(self, error: Exception) -> str:
        """What was exceeded, and the setting that raises it."""
        if isinstance(error, FutureTimeoutError) or _signal_of(error) == signal.SIGXCPU:
            return (
                f"reading took longer than {self._seconds:g} seconds: open the mail in a mail program, "
                "or raise reading.seconds in mailrouter.yaml and retry"
            )
        if isinstance(error, MemoryError) or getattr(error, "exitcode", 0) == child.OUT_OF_MEMORY:
            return (
                f"reading needed more than {self._mebibytes} MiB: open the mail in a mail program, "
                "or raise reading.mebibytes in mailrouter.yaml and retry"
            )
        if isinstance(error, ProcessExpired):
            return (
                f"the reader crashed on this mail (signal {_signal_of(error) or error.exitcode}); "
                f"if {self._mebibytes} MiB were too little, raise reading.mebibytes in mailrouter.yaml and retry, "
                "else open the mail in a mail program"
            )
        return f"the reader failed on this mail ({type(error).__name__}): open the mail in a mail program and report it"

    @contextmanager
    def _used(self) -> Iterator[None]:
        """While this lasts the children are not ended for idleness."""
        with self._changed:
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    def _running(self) -> ProcessPool:
        """The pool of children, begun if there is none."""
        with self._changed:
            while True:
                if self._closed:
                    raise RuntimeError("the reading pool is closed")
                if self._pool is not None and self._pool.active:
                    return self._pool
                if self._keeper is None or not self._keeper.is_alive():
                    self._keeper = threading.Thread(target=self._keep, name="reading-children", daemon=True)
                    self._keeper.start()
                self._changed.wait(1.0)

    def _keep(self) -> None:
        """Begin the children, and end them when they are idle or no longer wanted.

        They are begun here because a child is told of the death of the *thread* that began it (prctl(2)): this one
        lives as long as they do.
        """
        context = multiprocessing.get_context("spawn")
        pool = ProcessPool(
            max_workers=self._workers, initializer=child.start, initargs=(self._mebibytes, os.getpid()), context=context
        )
        begun = pool.active  # begins them
        with self._changed:
            self._pool = pool if begun else None
            self._changed.notify_all()
            while begun and not self._closed and pool.active:
                idle = self._users == 0
                if not self._changed.wait(self._idle_seconds if idle else 1.0) and idle and self._users == 0:
                    break
            self._pool = None
        pool.stop()  # type: ignore[no-untyped-call]  # pebble's annotations leave it out
        pool.join()


def _batches(mails: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Small mails together, so that the way to the child and back is paid once for many; a large one by itself."""
    batch: list[bytes] = []
    size = 0
    for raw in mails:
        if batch and (size + len(raw) > _BATCH_BYTES or len(batch) >= _BATCH_MAILS):
            yield batch
            batch, size = [], 0
        batch.append(raw)
        size += len(raw)
    if batch:
        yield batch


def _in_memory(raw: bytes) -> int:
    """A file without a place on any disk that holds a mail: nothing is left of it when we end, however we end."""
    memory = os.memfd_create("mail")
    with os.fdopen(os.dup(memory), "wb") as file:
        file.write(raw)
    return memory


def _signal_of(error: Exception) -> int:
    """The signal that ended a child; 0 if none did."""
    code = getattr(error, "exitcode", 0)
    return -code if isinstance(code, int) and code < 0 else 0
