"""fetch → core → settle, for one mailbox at a time.

Invariant: every UID that the server names is written down as seen before anything is fetched, and ends with an outcome;
one bad mail never holds up the next: what cannot be decided is settled as a hold with its reason.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailrouter.core.case import MailboxRef
from mailrouter.core.mail import READER_VERSION, READING, Reading
from mailrouter.core.outcomes import Hold
from mailrouter.core.reading import read_headers
from mailrouter.core.rules import RuleSet
from mailrouter.core.sandbox import RenderError
from mailrouter.settings import Mailbox, Settings
from mailrouter.shell import log
from mailrouter.shell.clock import Clock
from mailrouter.shell.deciding import (
    Arrival,
    Asked,
    Considered,
    Surroundings,
    asked_keys,
    bare_hold,
    consider,
    settlement,
)
from mailrouter.shell.errors import Permanent, Temporary
from mailrouter.shell.mailboxes.interface import Fetched, MailboxConnection
from mailrouter.shell.progress import progress
from mailrouter.shell.reading import ReadingPool
from mailrouter.shell.rulebook import Rulebook
from mailrouter.shell.store.intake import Unread
from mailrouter.shell.store.settlement import Changed, Refused, Settlement
from mailrouter.shell.store.store import Store

_CHUNK = 100  # mails fetched, read and settled together…
_CHUNK_BYTES = 32 * 1024 * 1024  # …of so many bytes: two such chunks are in memory at a time
_AGAIN = 5  # how often a thread may change under a decision before it is held


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll did."""

    seen: int
    settled: int
    held: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """A chunk that was fetched and is being read."""

    last_uid: int
    fresh: Sequence[tuple[int, Fetched]]  # with the ledger's row
    readings: Future[list[Reading]]
    outcomes: Sequence[str]  # of those that need no reading: gone, same


@dataclass
class Pipeline:
    """Polls mailboxes."""

    settings: Settings
    store: Store
    rulebook: Rulebook
    reader: ReadingPool
    clock: Clock
    _erased: dict[str, datetime] = field(default_factory=dict)  # when old mail was looked for last

    def poll(self, mailbox: Mailbox, connection: MailboxConnection, stop: Callable[[], bool] = lambda: False) -> Polled:
        """List, fetch, read, decide and settle all that is new in the mailbox's folder."""
        uidvalidity = self._list(mailbox, connection)
        outcomes: list[str] = []
        unread = self.store.intake.unread(mailbox.name, mailbox.folder, uidvalidity)
        with progress(f"{mailbox.name}: mails read", unread.count) as advance:
            for some in self._outcomes(mailbox, connection, uidvalidity, unread, stop) if unread.count else ():
                outcomes += some
                advance(len(some))
        self.store.intake.healthy(mailbox.name, mailbox.folder, self._now())
        self._erase_old(mailbox)
        settled, held = outcomes.count("settled"), outcomes.count("held")
        if outcomes:
            log.event("mailbox.polled", mailbox=mailbox.name, seen=len(outcomes), settled=settled, held=held)
        return Polled(len(outcomes), settled, held)

    def _outcomes(
        self,
        mailbox: Mailbox,
        connection: MailboxConnection,
        uidvalidity: int,
        unread: Unread,
        stop: Callable[[], bool],
    ) -> Iterator[list[str]]:
        """Chunk by chunk, how each mail ended. The next chunk is fetched and read while one is settled."""
        taken: _Taken | None = None
        with ThreadPoolExecutor(2, f"ahead {mailbox.name}") as ahead:
            while True:
                following: _Taken | None = None
                try:
                    if not stop():
                        last = taken.last_uid if taken else unread.after
                        following = self._take(mailbox, connection, uidvalidity, last, ahead)
                finally:  # what was fetched is settled, whatever has become of the connection
                    done = [*taken.outcomes, *self._settle_all(mailbox, taken)] if taken else []
                yield done
                if following is None:
                    return
                taken = following

    def _erase_old(self, mailbox: Mailbox) -> None:
        """What the mailbox's `retention_days` lets go, looked for once an hour."""
        now = self.clock.now()
        last = self._erased.get(mailbox.name)
        if mailbox.retention_days is None or (last is not None and now - last < timedelta(hours=1)):
            return
        erased = self.store.retention.after(mailbox.name, now - timedelta(days=mailbox.retention_days))
        self._erased[mailbox.name] = now
        if erased:
            log.event("mail.erased", mailbox=mailbox.name, mails=erased)

    def retry(self, intake_id: int, mailbox: Mailbox) -> str:
        """Decide a held mail anew, with the rules and the directory of now; the new state."""
        located = self.store.intake.locate(intake_id)
        listed = self.store.listing.messages(ids=[intake_id])[0]
        if listed.state != "held":
            raise Permanent(f"message {intake_id} is {listed.state}; only held mail can be tried again")
        raw = self.store.intake.content(located.sha256 or "")
        if raw is None:
            raise Permanent(f"the content of message {intake_id} is not kept (erased, or over the size limit)")
        reading = next(iter(self._read([raw])))
        received = datetime.fromisoformat(listed.received or self._now())
        arrival = Arrival(intake_id, MailboxRef(mailbox.name, mailbox.address), received, ("held",), raw, len(raw))
        return self._one(mailbox, arrival, reading, self.rulebook.current())

    # Listing -------------------------------------------------------------------------------------------------------

    def _list(self, mailbox: Mailbox, connection: MailboxConnection) -> int:
        """Write down every new UID; the folder's UIDVALIDITY."""
        state = connection.state(mailbox.folder)
        last = self.store.intake.last_uid(mailbox.name, mailbox.folder, state.uidvalidity)
        if last is None:
            last = self._first_contact(mailbox, connection, state.uidvalidity)
        uids = connection.uids(mailbox.folder, state.uidvalidity, last)
        for start in range(0, len(uids), 2000):
            self.store.intake.see(mailbox.name, mailbox.folder, state.uidvalidity, uids[start : start + 2000])
        return state.uidvalidity

    def _first_contact(self, mailbox: Mailbox, connection: MailboxConnection, uidvalidity: int) -> int:
        """A new epoch: the highest UID that is not ours to read (`backfill`), 0 to read all."""
        known = any(row["mailbox"] == mailbox.name and row["uidvalidity"] for row in self.store.intake.health())
        last = 0
        if not known and mailbox.backfill != "all":
            uids = connection.uids(mailbox.folder, uidvalidity, 0)
            if mailbox.backfill == "nothing":
                last = max(uids, default=0)
            else:
                last = connection.last_uid_before(
                    mailbox.folder, uidvalidity, datetime.fromisoformat(mailbox.backfill).date()
                )
        self.store.intake.begin_epoch(mailbox.name, mailbox.folder, uidvalidity, last, self._now())
        ended = self.store.intake.end_epoch(mailbox.name, mailbox.folder, uidvalidity, self._now())
        if known:
            log.event("mailbox.new_epoch", mailbox=mailbox.name, unread=ended)
        return last

    # Taking in -----------------------------------------------------------------------------------------------------

    def _take(
        self,
        mailbox: Mailbox,
        connection: MailboxConnection,
        uidvalidity: int,
        after: int,
        ahead: ThreadPoolExecutor,
    ) -> _Taken | None:
        """Fetch the next chunk above that UID and begin to read it; None if there is none."""
        waiting = self.store.intake.waiting(mailbox.name, mailbox.folder, uidvalidity, _CHUNK, after)
        if not waiting:
            return None
        rows = {one.uid: one.id for one in waiting}
        fetched, last = _some(connection.fetch(mailbox.folder, uidvalidity, list(rows), mailbox.size_limit), max(rows))
        there = {one.uid for one in fetched}
        missing = [row for uid, row in rows.items() if uid <= last and uid not in there]
        if missing:
            self.store.intake.gone(missing, self._now())
        fresh, outcomes = self._new(mailbox, uidvalidity, [(rows[one.uid], one) for one in fetched])
        reading = ahead.submit(lambda: list(self._readings(mailbox, fresh)))
        return _Taken(last, fresh, reading, [*outcomes, *["gone"] * len(missing)])

    def _new(
        self, mailbox: Mailbox, uidvalidity: int, fetched: Sequence[tuple[int, Fetched]]
    ) -> tuple[list[tuple[int, Fetched]], list[str]]:
        """Those whose content no older epoch has; the others are written down as the mails that they are."""
        digests = {_digest(one.raw): one for _, one in fetched if one.whole}
        earlier = self.store.intake.earlier(mailbox.name, mailbox.folder, uidvalidity, list(digests))
        if not earlier:
            return list(fetched), []
        fresh = []
        for row, one in fetched:
            digest = _digest(one.raw)
            known = earlier.get(digest)
            if one.whole and known:
                self.store.intake.same(row, known.pop(0), uidvalidity, one.uid, digest, self._now())
            else:
                fresh.append((row, one))
        return fresh, ["same"] * (len(fetched) - len(fresh))

    def _settle_all(self, mailbox: Mailbox, taken: _Taken) -> list[str]:
        """Decide and settle; as one transaction where nothing in the chunk touches the same letter."""
        ruleset = self.rulebook.current()
        reference = MailboxRef(mailbox.name, mailbox.address)
        outcomes: list[str] = []
        batch: list[tuple[Arrival, Reading, Settlement]] = []
        promised: set[str] = set()  # what the register is asked for by those of the batch that it will take
        taking: set[str] = set()  # the same of the whole chunk: an answer given before it is out of date
        readings = taken.readings.result()
        around = self.around(mailbox)
        for (row, one), reading, asked in zip(taken.fresh, readings, self._ask(readings, ruleset, around), strict=True):
            arrival = Arrival(row, reference, one.received, ("seen",), one.raw if one.whole else None, one.size)
            try:
                keys = asked.keys if asked else asked_keys(reading, ruleset, around)
                if not promised.isdisjoint(keys):
                    outcomes += self._flush(mailbox, batch, ruleset)
                    batch, promised = [], set()
                given = asked if taking.isdisjoint(keys) else None
                considered = consider(reading, reference, one.received, ruleset, around, asked=given)
                batch.append((arrival, reading, settlement(considered, arrival, reading, ruleset, around)))
                if considered.registers:
                    promised.update(keys)
                    taking.update(keys)
            except Temporary:
                raise
            except Exception as error:  # noqa: BLE001 - the pipeline's boundary: a bug of ours holds this mail only
                outcomes.append(self._hold(mailbox, arrival, reading, error))
        return outcomes + self._flush(mailbox, batch, ruleset)

    def _ask(self, readings: Sequence[Reading], ruleset: RuleSet, around: Surroundings) -> Sequence[Asked | None]:
        """Ask the register for all of a chunk at once; None: the mail's own turn shows what is wrong with it."""
        try:
            keys = [asked_keys(reading, ruleset, around) for reading in readings]
            return [Asked(*one) for one in zip(keys, self.store.registry.lookup_each(keys), strict=True)]
        except Temporary:
            raise
        except Exception:  # noqa: BLE001 - the pipeline's boundary: a bug of ours holds one mail only
            return [None] * len(readings)

    def _flush(
        self, mailbox: Mailbox, batch: Sequence[tuple[Arrival, Reading, Settlement]], ruleset: RuleSet
    ) -> list[str]:
        if not batch:
            return []
        try:
            self.store.settler.settle([one for _, _, one in batch])
        except Temporary:
            raise
        except Exception:  # noqa: BLE001 - one of the batch cannot be settled: each alone shows which
            return [self._one(mailbox, arrival, reading, ruleset) for arrival, reading, _ in batch]
        for _, _, one in batch:
            self._tell(one)
        return ["held" if one.plan.hold else "settled" for _, _, one in batch]

    def _one(self, mailbox: Mailbox, arrival: Arrival, reading: Reading, ruleset: RuleSet) -> str:
        """Decide and settle one mail alone, again where its thread changed meanwhile."""
        try:
            return self._until_settled(mailbox, arrival, reading, ruleset)
        except Temporary:
            raise
        except Exception as error:  # noqa: BLE001 - the pipeline's boundary: a bug of ours holds this mail only
            return self._hold(mailbox, arrival, reading, error)

    def _until_settled(self, mailbox: Mailbox, arrival: Arrival, reading: Reading, ruleset: RuleSet) -> str:
        refused: Refused | None = None
        for _ in range(_AGAIN):
            considered = self._consider(mailbox, arrival, reading, ruleset, refused)
            one = settlement(considered, arrival, reading, ruleset, self.around(mailbox))
            try:
                self.store.settler.settle([one])
            except Changed:
                continue
            except Refused as error:
                refused = error
                continue
            except RenderError as error:
                refused = Refused(
                    Hold("template", f"a text could not be written: {error}; mend the template, then retry")
                )
                continue
            self._tell(one)
            return "held" if one.plan.hold else "settled"
        raise Permanent("the letter's thread kept changing while it was decided; try again")

    def _consider(
        self, mailbox: Mailbox, arrival: Arrival, reading: Reading, ruleset: RuleSet, refused: Refused | None = None
    ) -> Considered:
        if refused is not None:
            reading = replace(reading, holds=(*reading.holds, refused.hold))
        return consider(reading, arrival.mailbox, arrival.received, ruleset, self.around(mailbox))

    def around(self, mailbox: Mailbox) -> Surroundings:
        """What a decision needs besides the mail and the rules, now."""
        outbox, holds = self.settings.outbox, self.settings.holds
        return Surroundings(
            lookup=self.store.registry.lookup,
            now=self.clock.now(),
            registrars=mailbox.registrars,
            loop_key=self.store.secret("loop"),
            hops=outbox.hops,
            received_lines=outbox.received,
            flag=holds.flag,
            remind_hours=holds.remind_hours,
            zone=self.settings.timezone,
        )

    def _hold(self, mailbox: Mailbox, arrival: Arrival, reading: Reading, error: Exception) -> str:
        """A bug of ours, or something impossible: the mail is kept and a person told."""
        log.event("mail.failed", warning=True, sha256=reading.sha256, error=type(error).__name__)
        reason = f"mailrouter could not decide this mail ({type(error).__name__}: {error}); mend it, then retry"
        self.store.settler.settle(
            [bare_hold(mailbox, arrival, reading, reason, self.rulebook.current(), self.around(mailbox))]
        )
        return "held"

    def _tell(self, one: Settlement) -> None:
        hold = one.plan.hold
        if hold:
            log.event("mail.held", sha256=one.case.sha256, mailbox=one.case.mailbox.name, hold=hold.code)
        else:
            log.event(
                "mail.settled", sha256=one.case.sha256, mailbox=one.case.mailbox.name, rules=len(one.decision.rules)
            )

    def _readings(self, mailbox: Mailbox, fresh: Sequence[tuple[int, Fetched]]) -> Iterator[Reading]:
        """The reading of each mail; one over the size limit is held from its headers, not dropped."""
        whole = self._read([one.raw for _, one in fresh if one.whole])
        for _, one in fresh:
            if one.whole:
                yield next(whole)
            else:
                mebibytes = one.size / (1024 * 1024)
                reason = (
                    f"the mail has {mebibytes:.1f} MiB, more than this mailbox's size_limit "
                    f"({mailbox.size_limit / (1024 * 1024):.0f} MiB): look at it by hand, or raise the limit"
                )
                yield read_headers(one.raw, Hold("too-large", reason))

    def _read(self, raws: Sequence[bytes]) -> Iterator[Reading]:
        """The reading of each mail: stored ones are not read again."""
        known = self.store.intake.readings([_digest(raw) for raw in raws], READER_VERSION)
        stored = [known.get(_digest(raw)) for raw in raws]
        fresh = iter(self.reader.read_many(raw for raw, text in zip(raws, stored, strict=True) if text is None))
        for text in stored:
            yield READING.validate_python(json.loads(text)) if text else next(fresh)

    def _now(self) -> str:
        return self.clock.now().isoformat(timespec="seconds")


def _some(fetched: Iterator[Fetched], last_asked: int) -> tuple[list[Fetched], int]:
    """As many as memory may hold, at least one; and the UID up to which all was asked for."""
    some: list[Fetched] = []
    size = 0
    for one in fetched:
        some.append(one)
        size += len(one.raw)
        if size > _CHUNK_BYTES:
            return some, one.uid
    return some, last_asked


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
