"""Drafts: what waits for a person, what a person said, what became of it.

    waiting → approved → sent;  waiting, approved → rejected;  approved → waiting (the approval fell);
    waiting, approved → sent (a person sent it from their own mail program);  rejected → sent (a person wrote instead)
    waiting → withdrawn (an acknowledgement whose letter has been answered)

Invariant: an approval binds to a digest of text, recipients, subject and attachments; the number of an answer is
allocated in the approval's transaction and stays, marked unsent, if sending fails for good.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, or_, select, update

from mailrouter.core.effects import EFFECT, DraftEffect, SendEffect
from mailrouter.core.register import Classification
from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.answers import Answer, Answers
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.draft import ByHand, Draft, approval_digest, digest_of, renumbered, send_key, waits_for_own
from mailrouter.shell.store.registry import ENTRY, Registry
from mailrouter.shell.store.schema import acts, drafts, effects, entries, intake

__all__ = ["ByHand", "Draft", "Drafts", "Recorded", "approval_digest", "digest_of", "send_key"]

_letters = entries.alias()  # the entry of the mail that a draft answers; `entries` is the answer's own
_UNDER_WAY = ("claimed", "performing")


Recorded = Literal["sent", "closed", "busy"]


class Drafts:
    """The drafts' transactions."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._db = database
        self._answers = Answers(registry)

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

    def unanswered(self, mailbox: str) -> list[Draft]:
        """Drafts that a person may answer by hand: open ones, and rejected ones whose letter still waits."""
        query = (
            select(drafts.c.id)
            .outerjoin(intake, intake.c.id == drafts.c.intake_id)
            .outerjoin(_letters, _letters.c.id == intake.c.entry_id)
            .where(
                drafts.c.mailbox == mailbox,
                or_(
                    drafts.c.state.in_(("waiting", "approved")),
                    and_(drafts.c.state == "rejected", drafts.c.answers.is_not(None), _letters.c.state == "open"),
                ),
            )
            .order_by(drafts.c.id)
        )
        return self._db.read(lambda tx: [self._get(tx, one) for one in tx.execute(query).scalars().all()])

    def open_in(self, mailbox: str) -> tuple[int, int]:
        """How many drafts of a mailbox are open or rejected, and for how many of them Sent was not searched yet."""
        query = (
            select(drafts.c.sought, func.count())
            .where(drafts.c.mailbox == mailbox, drafts.c.state.in_(("waiting", "approved", "rejected")))
            .group_by(drafts.c.sought)
        )
        counts = {bool(row[0]): int(row[1]) for row in self._db.read(lambda tx: tx.execute(query).all())}
        return sum(counts.values()), counts.get(False, 0)

    def waiting_of(self, keys: Sequence[str]) -> list[Draft]:
        """The waiting drafts among those that these effects made."""
        query = select(drafts.c.id).where(drafts.c.effect_key.in_(list(keys)), drafts.c.state == "waiting")
        return self._db.read(lambda tx: [self._get(tx, one) for one in tx.execute(query).scalars().all()])

    def sought(self, draft_ids: Sequence[int]) -> None:
        """Sent was searched for answers that are older than these drafts."""
        self._db.write(
            lambda tx: tx.execute(update(drafts).where(drafts.c.id.in_(list(draft_ids))).values(sought=True))
        )

    def on_its_way(self, draft: Draft) -> bool:
        """Whether the copy of this revision has yet to be put into Drafts."""
        query = select(effects.c.state).where(effects.c.key == draft.effect_key)
        state = self._db.read(lambda tx: tx.execute(query).scalar_one_or_none())
        return state in {"pending", *_UNDER_WAY}

    def approve(
        self, draft_id: int, *, who: str, at: datetime, classification: Classification, digest: str | None = None
    ) -> Draft:
        """Record the approval: bind it to the digest, number the answer, let the service send.

        `digest`: what the person has seen; Permanent if the draft says something else by now.
        """

        def work(tx: Connection) -> Draft:
            draft = self._get(tx, draft_id)
            _must_wait(draft, "approved")
            if digest is not None and draft.digest != digest:
                raise Permanent(f"draft {draft_id} was changed meanwhile: 'mailrouter drafts show {draft_id}'")
            if "number" in draft.needs:
                raise Permanent(
                    f"{draft.letter} waits for its number in the other register: 'mailrouter register confirm'"
                )
            if draft.needs:
                needs = ", ".join(draft.needs)
                raise Permanent(f"draft {draft_id} still needs: {needs}; 'mailrouter drafts fill {draft_id}' first")
            values: dict[str, Any] = {
                "state": "approved",
                "approved_by": who,
                "approved_at": at.isoformat(timespec="seconds"),
            }
            if draft.answers and draft.number is None:
                values["entry_id"] = self._answers.number(
                    tx, _answer(draft), who=who, at=at, classification=classification
                )
            tx.execute(update(drafts).where(drafts.c.id == draft_id).values(**values, note=None))
            self._act(tx, at, who, "approved", draft, f"digest {draft.digest}")
            approved = self._get(tx, draft_id)
            if waits_for_own(approved):
                note = f"{approved.number} waits for its number in the other register: 'mailrouter register confirm'"
                tx.execute(update(drafts).where(drafts.c.id == draft_id).values(note=note))
                return self._get(tx, draft_id)
            self._send(tx, approved)
            return approved

        return self._db.write(work)

    def reject(self, draft_id: int, *, who: str, at: datetime, reason: str) -> Draft:
        """A person does not want it; the copy in Drafts is theirs to delete."""

        def work(tx: Connection) -> Draft:
            draft = self._get(tx, draft_id)
            if draft.state != "approved":
                _must_wait(draft, "rejected")
            elif self._sending(tx, draft) in _UNDER_WAY:
                raise Permanent(f"draft {draft_id} is approved and going out just now")
            tx.execute(
                update(effects)
                .where(effects.c.key == send_key(draft), effects.c.state.in_(("pending", "held", "unknown")))
                .values(state="failed", error="rejected before it was sent")
            )
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
            .values(state="pending", attempts=0, not_before_epoch=0.0, lease_epoch=None, token=None, error=None)
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
        self, tx: Connection, draft_id: int, at: datetime, sha256: str | None, message_id: str | None = None
    ) -> None:
        """It went out: the answer is registered as sent, the letter it answers is closed.

        `message_id` is the one it went out under: replies to it are found by their References.
        """
        draft = self._get(tx, draft_id)
        if draft.state == "sent":
            return
        entry_id = tx.execute(select(drafts.c.entry_id).where(drafts.c.id == draft_id)).scalar_one()
        if draft.answers and entry_id is not None:
            why = f"draft {draft_id}"
            self._answers.sent(tx, _answer(draft), entry_id, at=at, sha256=sha256, message_id=message_id, why=why)
            self._withdraw(tx, self._get(tx, draft_id), at)
        tx.execute(update(drafts).where(drafts.c.id == draft_id).values(state="sent"))

    def _withdraw(self, tx: Connection, answer: Draft, at: datetime) -> None:
        """Who has the answer needs no word that the letter arrived: what still waits to say so is taken back."""
        letter = select(intake.c.entry_id).where(intake.c.id == answer.intake_id).scalar_subquery()
        query = (
            select(drafts.c.id)
            .join(intake, intake.c.id == drafts.c.intake_id)
            .where(intake.c.entry_id == letter, drafts.c.state == "waiting", drafts.c.answers.is_(None))
        )
        for draft_id in tx.execute(query.order_by(drafts.c.id)).scalars().all():
            draft = self._get(tx, draft_id)
            if draft.purpose != "acknowledgement":
                continue
            why = f"no longer needed: {answer.letter} is answered by {answer.number}"
            tx.execute(update(drafts).where(drafts.c.id == draft_id).values(state="withdrawn", note=why))
            tx.execute(  # its copy is taken out of Drafts
                update(effects)
                .where(effects.c.key == draft.effect_key, effects.c.state.not_in(_UNDER_WAY))
                .values(state="pending", attempts=0, not_before_epoch=0.0, lease_epoch=None, token=None, error=None)
            )
            self._act(tx, at, "mailrouter", "withdrawn", draft, why)

    def sent_by_hand(
        self, draft_id: int, mail: ByHand, *, at: datetime, classification: Classification, mine: bool = False
    ) -> Recorded:
        """A person answered from their own mail program: registered as the draft would have been, never sent again.

        "busy": the outbox is sending the draft just now and says itself what became of it (unless `mine`: the outbox
        asks). "closed": it was not open any more.
        """

        def work(tx: Connection) -> Recorded:
            draft = self._get(tx, draft_id)
            if draft.state not in {"waiting", "approved", "rejected"}:
                return "closed"
            if not mine and draft.state == "approved":
                sending = self._sending(tx, draft)
                if sending in _UNDER_WAY:
                    return "busy"
                if mail.copy and sending == "pending":
                    return "closed"  # the outbox looks for its own Message-ID in Sent before it sends
            tx.execute(
                update(effects)
                .where(
                    effects.c.key.in_((send_key(draft), draft.effect_key)),
                    effects.c.state.in_(("pending", "held", "unknown")),
                )
                .values(state="done", error="sent by a person", lease_epoch=None)
            )
            self._adopt(tx, draft, mail, at, classification)
            self._act(tx, at, mail.author or "a person", "sent-by-hand", draft, mail.why)
            return "sent"

        return self._db.write(work)

    def _adopt(self, tx: Connection, draft: Draft, mail: ByHand, at: datetime, classification: Classification) -> None:
        """The draft becomes what the person wrote, and is sent."""
        values: dict[str, Any] = {"approved_by": mail.author or "a person", "approved_at": at.isoformat("T", "seconds")}
        words = replace(draft.content.content, subject=mail.subject, text=mail.text, html="")
        content = replace(draft.content, to=mail.to, cc=mail.cc, content=words, needs=(), unnamed=None)
        values["content"] = EFFECT.dump_json(content).decode()
        values["digest"] = approval_digest(content)
        if draft.answers and draft.number is None:
            values["entry_id"] = self._answers.number(
                tx,
                replace(_answer(draft), to=mail.to),
                who=mail.author or "a person",
                at=at,
                classification=classification,
                gone_out=True,
            )
        tx.execute(update(drafts).where(drafts.c.id == draft.id).values(**values))
        self.sent(tx, draft.id, at, mail.sha256, mail.message_id)
        number = self._get(tx, draft.id).number
        printed = not draft.answers or number is None or number in f"{mail.subject}\n{mail.text}"
        note = f"{'found in Sent' if mail.copy else 'sent by a person'}: {mail.why}" + (
            "" if printed else f"; it does not name its number {number}"
        )
        tx.execute(update(drafts).where(drafts.c.id == draft.id).values(note=note))

    def confirmed(self, tx: Connection, entry_id: int, ours: str, theirs: str, at: datetime) -> None:
        """The register that owns the counter gave `theirs` for `ours`: drafts name it, and what waited for it goes on."""
        query = (
            select(drafts.c.id)
            .outerjoin(intake, intake.c.id == drafts.c.intake_id)
            .where(
                drafts.c.state.in_(("waiting", "approved")),
                or_(intake.c.entry_id == entry_id, drafts.c.entry_id == entry_id),
            )
        )
        for draft_id in tx.execute(query).scalars().all():
            draft = self._get(tx, draft_id)
            content = renumbered(draft.content, ours, theirs)
            if draft.state == "waiting" and content != draft.content:
                values = {"content": EFFECT.dump_json(content).decode(), "digest": approval_digest(content)}
                tx.execute(update(drafts).where(drafts.c.id == draft_id).values(**values))
                self._renew(tx, draft)
                self._act(tx, at, "mailrouter", "changed", draft, f"{ours} is {theirs}")
            elif draft.state == "approved" and not waits_for_own(draft):
                tx.execute(update(drafts).where(drafts.c.id == draft_id).values(note=None))
                self._send(tx, draft)

    def _sending(self, tx: Connection, draft: Draft) -> str | None:
        """The state of the effect that sends the draft as it stands."""
        return tx.execute(select(effects.c.state).where(effects.c.key == send_key(draft))).scalar_one_or_none()

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
        query = (
            select(
                drafts,
                entries.c.data.label("own"),
                _letters.c.data.label("letter"),
            )
            .outerjoin(entries, entries.c.id == drafts.c.entry_id)
            .outerjoin(intake, intake.c.id == drafts.c.intake_id)
            .outerjoin(_letters, _letters.c.id == intake.c.entry_id)
        )
        row = tx.execute(query.where(drafts.c.id == draft_id)).one_or_none()
        if row is None:
            raise Permanent(f"no draft {draft_id}; see 'mailrouter drafts list'")
        content = EFFECT.validate_json(row.content)
        assert isinstance(content, DraftEffect)
        own = ENTRY.validate_json(row.own) if row.own else None
        letter = ENTRY.validate_json(row.letter) if row.letter else None
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
            number=(own.theirs or own.number) if own else None,
            registered=own.registered if own else None,
            revision=row.revision,
            note=row.note,
            letter=letter.number if letter else None,
            letter_confirmed=letter.confirmed if letter else True,
            confirmed=own.confirmed if own else True,
            sought=row.sought,
        )

    def _act(self, tx: Connection, at: datetime, who: str, what: str, draft: Draft, why: str) -> None:
        tx.execute(
            acts.insert().values(
                at=at.isoformat(timespec="seconds"), who=who, what=what, subject=f"draft {draft.id}", why=why
            )
        )


def _answer(draft: Draft) -> Answer:
    return Answer(draft.id, draft.answers or "", draft.intake_id, draft.content.to)


def _must_wait(draft: Draft, what: str) -> None:
    if draft.state != "waiting":
        raise Permanent(f"draft {draft.id} is {draft.state}; only a waiting draft can be {what}")
