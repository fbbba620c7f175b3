"""The answer to a letter as an entry, and the letter closed by it.

Invariant: an answer takes everything that the letter has already settled: nothing is decided twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from mailrouter.core.register.entries import Correspondent, Entry, Relation, Responsible

ANSWERED_NOTE = "Vastuskiri {number} {date} registreeritud"


def answer_entry(
    incoming: Entry,
    *,
    recipients: Sequence[Correspondent] | None = None,
    responsible: Responsible | None = None,
    signer: str | None = None,
    title: str | None = None,
    mode: str = "e-post",
    message: str = "",
) -> Entry:
    """The outgoing answer to `incoming`, without number and date (`next_number` with `related=incoming` gives them).

    Access, title, function, series, file, the sender's reference and date are the letter's; its sender becomes the
    recipient, unless `recipients` says otherwise. `mode` is the sending mode, `message` the SHA-256 of the mail.
    """
    own = (incoming.sender,) if incoming.sender else ()
    return Entry(
        direction="outgoing",
        title=title or incoming.title,
        function=incoming.function,
        series=incoming.series,
        file=incoming.file,
        access=incoming.access,
        access_basis=incoming.access_basis,
        access_from=incoming.access_from,
        access_until=incoming.access_until,
        responsible=responsible or incoming.responsible,
        state="closed",
        sender_reference=incoming.sender_reference,
        sender_date=incoming.sender_date,
        arrival=mode,
        recipients=own if recipients is None else tuple(recipients),
        signer=signer,
        private=incoming.private,
        relations=(Relation("initial", incoming.number),) if incoming.number else (),
        message=message,
    )


def closed_by(entry: Entry, number: str, registered: str) -> Entry:
    """The letter closed by its answer `number`, registered at the ISO time `registered`.

    Its answered date is set if it was empty, a note says by which letter, and the relation is added. Saying it twice
    changes nothing.
    """
    day = date.fromisoformat(registered[:10])
    note = ANSWERED_NOTE.format(number=number, date=day.strftime("%d.%m.%Y"))
    relation = Relation("reply", number)
    return replace(
        entry,
        state="closed",
        answered=entry.answered or day.isoformat(),
        note=entry.note if note in entry.note else "\n".join(filter(None, (entry.note, note))),
        relations=entry.relations if relation in entry.relations else (*entry.relations, relation),
    )
