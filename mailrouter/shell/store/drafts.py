"""Drafts: what waits for a person, what a person said, what became of it.

    waiting → approved → sent;  waiting → rejected | withdrawn;  approved → waiting (the approval fell);
    waiting → sent (a person sent it from their own mail program)

Invariant: an approval binds to a digest of text, recipients, subject and attachments; the number of an answer is
allocated in the approval's transaction and stays, marked unsent, if sending fails for good.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from mailrouter.core.case import outgoing_keys
from mailrouter.core.effects import EFFECT, DraftEffect, SendEffect, effect_key
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import Classification, Correspondent, answer_entry, closed_by, series_of
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.registry import Registry
from mailrouter.shell.store.schema import acts, drafts, effects, entries


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands now. `number` is the outgoing document's own, from approval on."""

    id: int
    effect_key: str
    intake_id: int | None
    mailbox: str
    state: str
    content: DraftEffect
    digest: str
    answers: str | None
    approved_by: str | None
    approved_at: str | None
    number: str | None
    registered: str | None
    revision: int
    note: str | None

    @property
    def purpose(self) -> str:
        """acknowledgement, nomination or reply."""
        return self.content.purpose

    @property
    def message_key(self) -> str:
        """What the Message-ID of the copy in Drafts derives from: each revision has its own."""
        return self.effect_key if self.revision == 0 else f"{self.effect_key}.{self.revision}"


class Drafts:
    """The drafts' transactions."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._db = database
        self._registry = registry

    def get(self, draft_id: int) -> Draft:
        """One draft; Permanent if there is none."""
        return self._db.read(lambda tx: self._get(tx, draft_id))

    def of_effect(self, key: str) -> Draft:
        """The draft that an effect made."""
        query = select(drafts.c.id).where(drafts.c.effect_key == key)
        return self._db.read(lambda tx: self._get(tx, tx.execute(query).scalar_one()))

    def all(self, states: Sequence[str] | None = None, intake_id: int | None = None) -> list[Draft]:
        """Drafts in these states (None = all), oldest first."""
        query = select(drafts.c.id).order_by(drafts.c.id)
        if states is not None:
            query = query.where(drafts.c.state.in_(list(states)))
        if intake_id is not None:
            query = query.where(drafts.c.intake_id == intake_id)
        return self._db.read(lambda tx: [self._get(tx, one) for one in tx.execute(query).scalars().all()])

    def approve(self, draft_id: int, *, who: str, at: datetime, classification: Classification) -> Draft:
        """Record the approval: bind it to the digest, number the answer, let the service send."""

        def work(tx: Connection) -> Draft:
            draft = self._get(tx, draft_id)
            _must_wait(draft, "approved")
            if draft.content.needs:
                needs = ", ".join(draft.content.needs)
                raise Permanent(f"draft {draft_id} still needs: {needs}; 'mailrouter drafts fill {draft_id}' first")
            values: dict[str, Any] = {
                "state": "approved",
                "approved_by": who,
                "approved_at": at.isoformat(timespec="seconds"),
            }
            if draft.answers and draft.number is None:
                values["entry_id"] = self._number(tx, draft, who, at, classification)
            tx.execute(update(drafts).where(drafts.c.id == draft_id).values(**values, note=None))
            self._send(tx, draft)
            self._act(tx, at, who, "approved", draft, f"digest {draft.digest}")
            return self._get(tx, draft_id)

        return self._db.write(work)

    def reject(self, draft_id: int, *, who: str, at: datetime, reason: str) -> Draft:
        """A person does not want it; the copy in Drafts is theirs to delete."""

        def work(tx: Connection) -> Draft:
            draft = self._get(tx, draft_id)
            _must_wait(draft, "rejected")
            tx.execute(update(drafts).where(drafts.c.id == draft_id).values(state="rejected", note=reason))
            tx.execute(
                update(effects)
                .where(effects.c.key == draft.effect_key, effects.c.state == "pending")
                .values(state="failed", error="rejected before it was put into Drafts")
            )
            self._act(tx, at, who, "rejected", draft, reason)
            return self._get(tx, draft_id)

        return self._db.write(work)

    def fell(self, tx: Connection, draft_id: int, why: str, at: datetime) -> None:
        """Sending was refused for good: the draft waits again, a new copy goes to Drafts, its number stays."""
        draft = self._get(tx, draft_id)
        if draft.state == "approved":
            self._renew(tx, draft)
            tx.execute(
                update(drafts)
                .where(drafts.c.id == draft_id)
                .values(state="waiting", approved_by=None, approved_at=None, note=why)
            )
            self._act(tx, at, "mailrouter", "not-sent", draft, why)

    def _renew(self, tx: Connection, draft: Draft) -> None:
        """A new revision: its copy is put into Drafts, the old one removed."""
        tx.execute(update(drafts).where(drafts.c.id == draft.id).values(revision=draft.revision + 1))
        tx.execute(
            update(effects)
            .where(effects.c.key == draft.effect_key)
            .values(state="pending", attempts=0, not_before_epoch=0.0, lease_epoch=None, token=None)
        )

    def change(
        self, draft_id: int, content: DraftEffect, *, who: str, at: datetime, why: str, by_service: bool = False
    ) -> Draft:
        """New content: an approval falls, a new revision replaces the copy in Drafts (unless that is where it came from)."""

        def work(tx: Connection) -> Draft:
            draft = self._get(tx, draft_id)
            if draft.state not in {"waiting", "approved"}:
                raise Permanent(f"draft {draft_id} is {draft.state}; only a waiting draft can be changed")
            values: dict[str, Any] = {
                "content": EFFECT.dump_json(content).decode(),
                "digest": approval_digest(content),
                "state": "waiting",
                "approved_by": None,
                "approved_at": None,
                "note": why,
            }
            if not by_service:
                self._renew(tx, draft)
            tx.execute(update(drafts).where(drafts.c.id == draft_id).values(**values))
            self._act(tx, at, who, "changed", draft, why)
            return self._get(tx, draft_id)

        return self._db.write(work)

    def sent(
        self,
        tx: Connection,
        draft_id: int,
        at: datetime,
        sha256: str | None,
        classification: Classification | None = None,
        message_id: str | None = None,
    ) -> None:
        """It went out: the answer is registered as sent, the letter it answers is closed.

        `message_id` is the one it went out under: replies to it are found by their References.
        """
        draft = self._get(tx, draft_id)
        row = tx.execute(select(drafts.c.entry_id).where(drafts.c.id == draft_id)).one()
        entry_id = row.entry_id
        if draft.answers and entry_id is None and classification is not None:
            entry_id = self._number(tx, draft, draft.approved_by or "a person", at, classification)
        if draft.answers and entry_id is not None:
            answer = self._registry.by_id(tx, entry_id)
            tx.execute(update(entries).where(entries.c.id == entry_id).values(sent=True))
            if message_id:
                self._registry.add_keys(tx, entry_id, outgoing_keys(answer, [message_id]))
            if sha256:
                answer = replace(answer, message=sha256)
                self._registry.change(
                    tx,
                    entry_id,
                    answer,
                    at=at.isoformat(timespec="seconds"),
                    who="mailrouter",
                    what="sent",
                    why=f"draft {draft_id}",
                )
            found = self._registry.by_number(tx, draft.answers)
            if found is not None:
                closed = closed_by(found[1], answer.number or "", at.isoformat(timespec="seconds"))
                self._registry.change(
                    tx,
                    found[0],
                    closed,
                    at=at.isoformat(timespec="seconds"),
                    who="mailrouter",
                    what=f"closed by {answer.number}",
                    why=f"draft {draft_id} was sent",
                )
        tx.execute(update(drafts).where(drafts.c.id == draft_id).values(state="sent", entry_id=entry_id))

    def sent_by_hand(self, draft_id: int, at: datetime, sha256: str, classification: Classification) -> bool:
        """A person sent it from their own mail program; False if it was not open any more."""

        def work(tx: Connection) -> bool:
            draft = self._get(tx, draft_id)
            if draft.state not in {"waiting", "approved"}:
                return False
            tx.execute(
                update(effects)
                .where(effects.c.key == send_key(draft), effects.c.state.in_(("pending", "held", "unknown")))
                .values(state="done", error="sent by a person")
            )
            self.sent(tx, draft_id, at, sha256, classification)
            tx.execute(update(drafts).where(drafts.c.id == draft_id).values(note="sent by a person"))
            self._act(tx, at, "mailrouter", "sent-by-hand", draft, "found in Sent")
            return True

        return self._db.write(work)

    def _number(self, tx: Connection, draft: Draft, who: str, at: datetime, classification: Classification) -> int:
        found = self._registry.by_number(tx, draft.answers or "")
        if found is None:
            raise Permanent(f"draft {draft.id} answers {draft.answers}, which is not registered; register it first")
        incoming = found[1]
        if not incoming.confirmed:
            raise Permanent(
                f"{draft.answers} waits for its number in the other register: 'mailrouter register confirm'"
            )
        recipients = tuple(
            Correspondent(incoming.sender.institution if incoming.sender else None, one.name, one.address)
            for one in draft.content.to
        )
        entry = answer_entry(incoming, recipients=recipients, signer=who)
        series = series_of(classification, entry.series)
        if series is None:
            raise Permanent(f"the series {entry.series} is not in register.yaml")
        numbered = self._registry.allocate(tx, entry, series, incoming, at)
        if isinstance(numbered, Hold):
            raise Permanent(numbered.reason)
        return self._registry.insert(
            tx, numbered, outgoing_keys(numbered, ()), who=who, why=f"draft {draft.id}", sent=False
        )

    def _send(self, tx: Connection, draft: Draft) -> None:
        key = send_key(draft)
        effect = SendEffect(key=key, rule=draft.content.rule, draft=draft.id, digest=draft.digest)
        row = {
            "key": key,
            "intake_id": draft.intake_id,
            "mailbox": draft.mailbox,
            "kind": "send",
            "rule": draft.content.rule,
            "position": 1000,
            "payload": EFFECT.dump_json(effect).decode(),
            "state": "pending",
            "attempts": 0,
            "not_before_epoch": 0.0,
            "recovering": False,
        }
        if not self._db.add(tx, effects, [row]):
            # the same text approved again, after its approval fell or its sending was given up
            tx.execute(
                update(effects)
                .where(effects.c.key == key, effects.c.state.in_(("held", "failed", "done")))
                .values(
                    state="pending", attempts=0, not_before_epoch=0.0, lease_epoch=None, recovering=False, error=None
                )
            )

    def _get(self, tx: Connection, draft_id: int) -> Draft:
        query = select(drafts, entries.c.number, entries.c.registered_at).outerjoin(
            entries, entries.c.id == drafts.c.entry_id
        )
        row = tx.execute(query.where(drafts.c.id == draft_id)).one_or_none()
        if row is None:
            raise Permanent(f"no draft {draft_id}; see 'mailrouter drafts list'")
        content = EFFECT.validate_json(row.content)
        assert isinstance(content, DraftEffect)
        return Draft(
            id=row.id,
            effect_key=row.effect_key,
            intake_id=row.intake_id,
            mailbox=row.mailbox,
            state=row.state,
            content=content,
            digest=row.digest,
            answers=row.answers,
            approved_by=row.approved_by,
            approved_at=row.approved_at,
            number=row.number,
            registered=row.registered_at,
            revision=row.revision,
            note=row.note,
        )

    def _act(self, tx: Connection, at: datetime, who: str, what: str, draft: Draft, why: str) -> None:
        tx.execute(
            acts.insert().values(
                at=at.isoformat(timespec="seconds"), who=who, what=what, subject=f"draft {draft.id}", why=why
            )
        )


def send_key(draft: Draft) -> str:
    """The key of the sending of a draft as it stands: another text is another effect."""
    return effect_key(draft.digest, draft.mailbox, str(draft.id), "send")


def approval_digest(content: DraftEffect) -> str:
    """What an approval binds to: text, recipients, subject and attachments, white space at line ends apart."""
    return digest_of(content.to, content.cc, content.content.subject, content.content.text, ())


def digest_of(
    to: Sequence[Address], cc: Sequence[Address], subject: str, text: str, attachments: Sequence[tuple[str, str]]
) -> str:
    """SHA-256 over what a draft says; attachments as (name, SHA-256). The same for a copy read back from Drafts."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")]
    data: Mapping[str, Any] = {
        "to": sorted((one.address or one.name).casefold() for one in to),
        "cc": sorted((one.address or one.name).casefold() for one in cc),
        "subject": " ".join(subject.split()),
        "text": lines,
        "attachments": sorted(attachments),
    }
    return hashlib.sha256(json.dumps(data, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _must_wait(draft: Draft, what: str) -> None:
    if draft.state != "waiting":
        raise Permanent(f"draft {draft.id} is {draft.state}; only a waiting draft can be {what}")
