"""One letter, passed on from many mail programs and straight to us, is one letter to the register."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache

import pytest

from mailrouter.core.case import MailboxRef, registered_keys, resolve, thread_lookup_keys
from mailrouter.core.containers import Limits
from mailrouter.core.people import Directory, Institution
from mailrouter.core.reading import read
from mailrouter.core.register import Correspondent, Entry, KnownEntry
from mailrouter.core.trust import Trust

DIRECTORY = Directory(institutions=(Institution("European Commission", domains=("ec.europa.eu",)),))
COMMISSION = "HOME GLOBAL ALLIANCE <HOME-GLOBAL-ALLIANCE@ec.europa.eu>"
BIRGIT = "Birgit Paal <birgit.paal@ministry.example>"
BODY = """Dear Sir/Madam,

On behalf of the Commissioner, please find enclosed a follow-up letter on the Global Alliance.
We kindly ask you to transmit this letter to the Minister, and remain at your disposal for questions.

Kind regards,
European Commission
DG Migration and Home Affairs
"""
HEADS = {
    "outlook": f"From: {COMMISSION}\nSent: Thursday, February 29, 2024 11:57 AM\nTo: {BIRGIT}\nSubject: Follow-up on Global Alliance\n\n",
    "outlook-et": f"Saatja: {COMMISSION}\nSaadetud: neljapäev, 29. veebruar 2024 11:57\nAdressaat: {BIRGIT}\nTeema: Follow-up on Global Alliance\n\n",
    "outlook-de": f"Von: {COMMISSION}\nGesendet: Donnerstag, 29. Februar 2024 11:57\nAn: {BIRGIT}\nBetreff: Follow-up on Global Alliance\n\n",
    "outlook-brussels": f"From: {COMMISSION}\nSent: Thursday, February 29, 2024 10:57 AM\nTo: {BIRGIT}\nSubject: Follow-up on Global Alliance\n\n",
    "gmail": f"---------- Forwarded message ---------\nFrom: {COMMISSION}\nDate: Thu, 29 Feb 2024 at 11:57\nSubject: Follow-up on Global Alliance\nTo: {BIRGIT}\n\n\n",
    "apple": f"Begin forwarded message:\n\nFrom: {COMMISSION}\nSubject: Follow-up on Global Alliance\nDate: 29 February 2024 at 11:57:12 EET\nTo: {BIRGIT}\n\n",
    "thunderbird": f"-------- Edastatud kiri --------\nTeema: \tFollow-up on Global Alliance\nKuupäev: \tThu, 29 Feb 2024 10:57:12 +0100\nSaatja: \t{COMMISSION}\nSaaja: \tbirgit.paal@ministry.example\n\n",
}  # fmt: skip


def _mail(author: str, subject: str, text: str, message_id: str, enclosed: bytes | None = None) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"], message["Message-ID"] = (
        author,
        "info@ministry.example",
        subject,
        message_id,
    )
    message["Date"] = (
        "Thu, 29 Feb 2024 10:57:12 +0100" if "ec.europa.eu" in author else "Thu, 29 Feb 2024 13:05:00 +0200"
    )
    message["Authentication-Results"] = "mx.ministry.example; dmarc=pass header.from=ministry.example"
    message.set_content(text)
    if enclosed:
        message.add_attachment(message_from_bytes(enclosed, policy=SMTP))
    return message.as_bytes()


DIRECT = _mail(COMMISSION, "Follow-up on Global Alliance", BODY, "<c1@ec.europa.eu>")
WAYS = {
    "direct": DIRECT,
    "attached": _mail(BIRGIT, "FW: Follow-up on Global Alliance", "Palun registreerida.", "<b-attached@ministry.example>", DIRECT),
    **{
        name: _mail(BIRGIT, "FW: Follow-up on Global Alliance", f"Tere!\n\nPalun registreerida.\n\nBirgit\n\n{head}{BODY}", f"<b-{name}@ministry.example>")
        for name, head in HEADS.items()
    },
}  # fmt: skip


@cache
def _read(raw: bytes):
    return read(raw, Limits())


def _case(raw: bytes, register=()):
    reading = _read(raw)
    asked = set(thread_lookup_keys(reading, ("ministry.example",)))
    known = [KnownEntry(entry, tuple(sorted(asked & set(keys))), keys) for entry, keys in register if asked & set(keys)]
    return resolve(
        reading, mailbox=MailboxRef("registry", "info@ministry.example"), received="2024-02-29T14:00:00+02:00", directory=DIRECTORY,
        domains=("ministry.example",), trust=Trust(("mx.ministry.example",)), known=known,
    )  # fmt: skip


def _registered(raw: bytes):
    case = _case(raw)
    author = case.incoming.author
    sender = Correspondent(case.incoming.institution, author.name, author.address)
    entry = Entry(
        "incoming",
        "Follow-up",
        "5",
        "5-4",
        "5-4/22-1",
        22,
        1,
        "2024-02-29T13:06:00+02:00",
        sender=sender,
        message=case.sha256,
    )
    return entry, registered_keys(case, entry)


@pytest.mark.parametrize("first", list(WAYS))
@pytest.mark.parametrize("second", list(WAYS))
def test_same_letter_from_any_mail_program(first, second):
    """Whichever way came first, every other way is the same letter, and gets no second number."""
    thread = _case(WAYS[second], [_registered(WAYS[first])]).thread
    assert (thread.relation, thread.conflict) == ("duplicate", None)


@pytest.mark.parametrize("way", list(WAYS))
def test_next_letter_of_the_same_sender_is_new(way):
    """The next mail of the same mailbox, under another subject a day later, is another letter."""
    other = (
        WAYS[way]
        .replace(b"Follow-up on Global Alliance", b"Invitation to a workshop")
        .replace(b"enclosed a follow-up letter", b"below an invitation")
    )
    for old, new in (
        (b"c1@ec", b"c2@ec"),
        (b"29 Feb", b"30 Mar"),
        (b"29. Feb", b"30. Mar"),
        (b"29 February", b"30 March"),
        (b"February 29", b"March 30"),
        (b"29. veebruar", "30. märts".encode()),
        (b"<b-", b"<d-"),
    ):
        other = other.replace(old, new)
    assert _case(other, [_registered(WAYS[way])]).thread.relation == "new"
