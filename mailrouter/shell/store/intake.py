"""The ledger of intake: every UID of every epoch, and how each ended.

Invariant: a row is never deleted; seen = settled + held + released + gone + unaccounted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import effects, epochs, intake, mailboxes, messages


@dataclass(frozen=True, slots=True)
class Waiting:
    """A UID that was seen and has no outcome yet."""

    id: int
    uid: int


@dataclass(frozen=True, slots=True)
class Unread:
    """The UIDs of an epoch without an outcome: how many, and a UID below all of them."""

    count: int
    after: int


@dataclass(frozen=True, slots=True)
class Located:
    """Where a mail of the ledger lies now."""

    folder: str
    uidvalidity: int
    uid: int
    sha256: str | None


class Intake:
    """The ledger's transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def last_uid(self, mailbox: str, folder: str, uidvalidity: int) -> int | None:
        """The highest UID listed in this epoch, None if the epoch is new."""
        query = select(epochs.c.last_uid).where(
            epochs.c.mailbox == mailbox, epochs.c.folder == folder, epochs.c.uidvalidity == uidvalidity
        )
        return self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())

    def begin_epoch(self, mailbox: str, folder: str, uidvalidity: int, last_uid: int, at: str) -> None:
        """A UIDVALIDITY seen for the first time: it is the folder's current epoch from now on."""

        def work(tx: Connection) -> None:
            tx.execute(
                update(epochs).where(epochs.c.mailbox == mailbox, epochs.c.folder == folder).values(current=False)
            )
            row = {
                "mailbox": mailbox,
                "folder": folder,
                "uidvalidity": uidvalidity,
                "last_uid": last_uid,
                "since_at": at,
                "current": True,
            }
            self._db.add(tx, epochs, [row])

        self._db.write(work)

    def see(self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]) -> None:
        """Write down UIDs as seen, and how far the epoch is listed, in one transaction."""
        if not uids:
            return

        def work(tx: Connection) -> None:
            where = {"mailbox": mailbox, "folder": folder, "uidvalidity": uidvalidity}
            known = set(
                tx.execute(
                    select(intake.c.uid).where(
                        intake.c.mailbox == mailbox,
                        intake.c.folder == folder,
                        intake.c.uidvalidity == uidvalidity,
                        intake.c.uid >= min(uids),
                    )
                ).scalars()
            )
            rows = [{**where, "uid": uid, "state": "seen"} for uid in uids if uid not in known]
            if rows:
                tx.execute(intake.insert(), rows)
            tx.execute(
                update(epochs)
                .where(
                    epochs.c.mailbox == mailbox,
                    epochs.c.folder == folder,
                    epochs.c.uidvalidity == uidvalidity,
                    epochs.c.last_uid < max(uids),
                )
                .values(last_uid=max(uids))
            )

        self._db.write(work)

    def unread(self, mailbox: str, folder: str, uidvalidity: int) -> Unread:
        """How many seen UIDs of the epoch have no outcome, and from where on."""
        query = select(func.count(), func.min(intake.c.uid)).where(
            intake.c.mailbox == mailbox,
            intake.c.folder == folder,
            intake.c.uidvalidity == uidvalidity,
            intake.c.state == "seen",
        )
        count, first = self._db.read(lambda tx: tx.execute(query).one())
        return Unread(int(count), (first or 1) - 1)

    def waiting(self, mailbox: str, folder: str, uidvalidity: int, limit: int, after: int = 0) -> list[Waiting]:
        """The oldest seen UIDs of the epoch above `after` without an outcome."""
        query = (
            select(intake.c.id, intake.c.uid)
            .where(
                intake.c.mailbox == mailbox,
                intake.c.folder == folder,
                intake.c.uidvalidity == uidvalidity,
                intake.c.state == "seen",
                intake.c.uid > after,
            )
            .order_by(intake.c.uid)
            .limit(limit)
        )
        return self._db.read(lambda tx: [Waiting(row.id, row.uid) for row in tx.execute(query)])

    def gone(self, ids: Sequence[int], at: str) -> None:
        """These were seen, and were not there any more when they were to be fetched."""
        self._db.write(
            lambda tx: tx.execute(
                update(intake)
                .where(intake.c.id.in_(list(ids)), intake.c.state == "seen")
                .values(state="gone", settled_at=at)
            )
        )

    def end_epoch(self, mailbox: str, folder: str, uidvalidity: int, at: str) -> int:
        """Seen UIDs of older epochs are gone by their old name: their content is met again under the new one."""

        def work(tx: Connection) -> int:
            return tx.execute(
                update(intake)
                .where(
                    intake.c.mailbox == mailbox,
                    intake.c.folder == folder,
                    intake.c.uidvalidity != uidvalidity,
                    intake.c.state == "seen",
                )
                .values(state="gone", settled_at=at)
            ).rowcount

        return self._db.write(work)

    def earlier(self, mailbox: str, folder: str, uidvalidity: int, digests: Sequence[str]) -> dict[str, list[int]]:
        """For each of these contents, the rows of older epochs that no UID of this epoch stands for yet."""
        # Asked by content alone, which few rows share: SQLite would walk the whole epoch if it were offered the mailbox.
        columns = (intake.c.id, intake.c.sha256, intake.c.mailbox, intake.c.folder, intake.c.uidvalidity)
        query = select(*columns, intake.c.state, intake.c.same_as, intake.c.at_uidvalidity).where(
            intake.c.sha256.in_(list(digests))
        )
        found: dict[str, list[int]] = {}
        for row in sorted(self._db.read(lambda tx: tx.execute(query).all()), key=lambda row: row.id):
            here = (row.mailbox, row.folder) == (mailbox, folder)
            older = uidvalidity not in (row.uidvalidity, row.at_uidvalidity) and row.same_as is None
            if here and older and row.state in {"settled", "held", "released"}:
                found.setdefault(row.sha256, []).append(row.id)
        return found

    def same(self, row: int, earlier: int, uidvalidity: int, uid: int, sha256: str, at: str) -> None:
        """`row` is the mail of `earlier` under a new UID: nothing is decided again, and effects find it there."""

        def work(tx: Connection) -> None:
            old = tx.execute(select(intake).where(intake.c.id == earlier)).one()
            tx.execute(
                update(intake)
                .where(intake.c.id == row)
                .values(
                    state="settled",
                    same_as=earlier,
                    sha256=sha256,
                    received_at=old.received_at,
                    sender=old.sender,
                    subject=old.subject,
                    settled_at=at,
                )
            )
            tx.execute(update(intake).where(intake.c.id == earlier).values(at_uidvalidity=uidvalidity, at_uid=uid))

        self._db.write(work)

    def locate(self, row: int) -> Located:
        """Where the mail of this row lies, as far as the ledger knows."""
        return self.locate_each([row])[row]

    def locate_each(self, rows: Sequence[int]) -> dict[int, Located]:
        """Where the mails of these rows lie, as far as the ledger knows."""
        query = select(
            intake.c.id,
            intake.c.folder,
            func.coalesce(intake.c.at_uidvalidity, intake.c.uidvalidity).label("uidvalidity"),
            func.coalesce(intake.c.at_uid, intake.c.uid).label("uid"),
            intake.c.sha256,
        ).where(intake.c.id.in_(list(rows)))
        found = self._db.read(lambda tx: tx.execute(query).all())
        return {one.id: Located(one.folder, one.uidvalidity, one.uid, one.sha256) for one in found}

    def content(self, sha256: str) -> bytes | None:
        """The bytes of a mail, None if erased or never whole."""
        query = select(messages.c.raw).where(messages.c.sha256 == sha256)
        return self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())

    def original(self, row: int) -> bytes | None:
        """The bytes of the mail of this row, None if erased or never whole."""
        query = select(messages.c.raw).join(intake, intake.c.sha256 == messages.c.sha256).where(intake.c.id == row)
        return self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())

    def readings(self, digests: Sequence[str], reader: str) -> dict[str, str]:
        """The stored readings of these mails by this version of the reader."""
        query = select(messages.c.sha256, messages.c.reading).where(
            messages.c.sha256.in_(list(digests)), messages.c.reader == reader, messages.c.reading.is_not(None)
        )
        return {row.sha256: row.reading for row in self._db.read(lambda tx: tx.execute(query).all())}

    def healthy(self, mailbox: str, folder: str, at: str) -> None:
        """The mailbox was fetched from, just now."""
        self._health(mailbox, folder, "ok", at, None)

    def failing(self, mailbox: str, folder: str, at: str, error: str) -> None:
        """The mailbox could not be fetched from."""
        self._health(mailbox, folder, "failing", at, error)

    def _health(self, mailbox: str, folder: str, state: str, at: str, error: str | None) -> None:
        def work(tx: Connection) -> None:
            old = tx.execute(select(mailboxes).where(mailboxes.c.mailbox == mailbox)).one_or_none()
            values: dict[str, Any] = {"folder": folder, "state": state, "error": error}
            if old is None or old.state != state:
                values["since_at"] = at
            if state == "ok":
                values["last_fetch_at"] = at
            if old is None:
                self._db.add(tx, mailboxes, [{"mailbox": mailbox, "last_fetch_at": None, **values}])
            else:
                tx.execute(update(mailboxes).where(mailboxes.c.mailbox == mailbox).values(**values))

        self._db.write(work)

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by mailbox and state."""
        query = select(intake.c.mailbox, intake.c.state, func.count()).group_by(intake.c.mailbox, intake.c.state)
        result: dict[str, dict[str, int]] = {}
        for mailbox, state, count in self._db.read(lambda tx: tx.execute(query).all()):
            result.setdefault(mailbox, {})[state] = count
        return result

    def health(self) -> list[Mapping[str, Any]]:
        """Each mailbox's row, with its current epoch."""
        query = (
            select(mailboxes, epochs.c.uidvalidity)
            .select_from(
                mailboxes.outerjoin(
                    epochs,
                    (epochs.c.mailbox == mailboxes.c.mailbox)
                    & (epochs.c.folder == mailboxes.c.folder)
                    & epochs.c.current,
                )
            )
            .order_by(mailboxes.c.mailbox)
        )
        return self._db.read(lambda tx: [dict(row._mapping) for row in tx.execute(query)])  # noqa: SLF001 - SQLAlchemy's public name for it

    def effect_counts(self) -> dict[str, dict[str, int]]:
        """Effects by mailbox and state group: pending, failed, unknown."""
        group = case(
            (effects.c.state.in_(("pending", "claimed", "performing")), "pending"),
            (effects.c.state.in_(("failed", "held")), "failed"),
            (effects.c.state == "unknown", "unknown"),
            else_="done",
        )
        query = select(effects.c.mailbox, group, func.count()).group_by(effects.c.mailbox, group)
        result: dict[str, dict[str, int]] = {}
        for mailbox, state, count in self._db.read(lambda tx: tx.execute(query).all()):
            result.setdefault(mailbox, {})[state] = count
        return result
