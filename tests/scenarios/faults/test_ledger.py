"""Intake that can prove itself (MAIL.md, Intake): every UID of every epoch ends with an outcome."""

import pytest

from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.shell.views import status

RULES = """
- rule: letters
  when: {message.subject: {contains: Letter}}
  then:
    - register: {series: "5-4", responsible: Katarina Budrik, access: Avalik}
    - forward: {to: adviser@ministry.example, note: "For you."}
"""


class Here:
    """Reads in this process, which the reading children's own tests need not be."""

    def read_many(self, mails):
        return (read(raw, Limits()) for raw in mails)

    def close(self):
        pass


def letter(number, size=0):
    return (
        f"From: Writer <writer{number}@office.example>\r\nTo: info@ministry.example\r\nSubject: Letter {number}\r\n"
        f"Date: Thu, 29 Feb 2024 10:00:00 +0200\r\nMessage-ID: <l{number}@office.example>\r\n\r\n"
        f"This is letter {number} and it says a thing of its own. {'x' * size}\r\n"
    ).encode()


@pytest.fixture
def clerk(office):
    """The office with one rule, mail that stays where it is, in a folder that can be made again."""
    for file in (office.folder / "rules").glob("*.yaml"):
        file.unlink()
    (office.folder / "rules" / "10.yaml").write_text(RULES)
    office.changes = {"folder": "Watched"}
    client = office.imap()
    client.create("Watched")
    client.logout()

    def run(spoil=None, **changes):
        office.configure(
            mailboxes=[
                {**office.mailbox("registry", "info@ministry.example", office.user), **office.changes, **changes}
            ]
        )
        app = office.app()
        app._reader = Here()
        service = app.service()
        if spoil:
            plain = service.connect
            service.connect = lambda mailbox: spoil(plain(mailbox))
        code = service.run_once()
        [line] = status(app.store, app.settings, app.clock.now()).mailboxes
        listed = app.store.listing.messages()
        app.close()
        return code, line, listed

    office.run = run
    office.put = lambda *raws: [office.deliver(raw, "Watched") for raw in raws]
    return office


def forwarded(clerk):
    return sorted(
        number for number in range(1, 9) if any(f"<l{number}@".encode() in one.data for one in clerk.sink.mails)
    )


def test_a_folder_deleted_and_made_again_processes_only_what_is_new(clerk):
    """A new UIDVALIDITY starts an epoch: old content is met by its digest, not decided or forwarded again."""
    clerk.put(letter(1), letter(2))
    _, before, _ = clerk.run()
    client = clerk.imap()
    client.delete("Watched")
    client.create("Watched")
    client.logout()
    clerk.put(letter(3), letter(2), letter(1))
    code, line, listed = clerk.run()
    assert code == 0
    assert line["uidvalidity"] != before["uidvalidity"]
    assert (line["messages_seen"], line["messages_settled"], line["unaccounted"]) == (5, 5, 0)
    assert len(clerk.sink.mails) == 3
    assert forwarded(clerk) == [1, 2, 3]
    assert [one.number for one in listed] == ["5-4/22-1", "5-4/23-1", "5-4/24-1"]


def test_a_colleague_who_opens_a_mail_does_not_hide_it(clerk):
    r"""\Seen is never the queue: a mail read and flagged by a person before us is taken all the same."""
    clerk.put(letter(1))
    client = clerk.imap()
    client.select("Watched")
    client.store("1", "+FLAGS", "\\Seen")
    client.logout()
    clerk.run()
    assert forwarded(clerk) == [1]


def test_our_reading_leaves_a_mail_unread(clerk):
    r"""BODY.PEEK (RFC 3501 § 6.4.5): fetching sets no \Seen for the colleagues."""
    clerk.put(letter(1))
    clerk.run()
    client = clerk.imap()
    client.select("Watched", readonly=True)
    assert client.search(None, "UNSEEN")[1] == [b"1"]
    client.logout()


def test_a_mail_that_a_person_took_away_meanwhile_is_gone_and_counted(clerk):
    """Seen, and not there when it was to be fetched: an outcome of its own, and the others go on."""
    clerk.put(letter(1), letter(2), letter(3))

    class Taken:
        def __init__(self, connection):
            self.connection = connection

        def __getattr__(self, name):
            return getattr(self.connection, name)

        def fetch(self, *arguments):
            client = clerk.imap()
            client.select("Watched")
            client.store("2", "+FLAGS", "\\Deleted")
            client.expunge()
            client.logout()
            return self.connection.fetch(*arguments)

    code, line, _ = clerk.run(spoil=Taken)
    assert code == 0
    assert (line["messages_seen"], line["messages_settled"], line["gone"], line["unaccounted"]) == (3, 2, 1, 0)
    assert forwarded(clerk) == [1, 3]


def test_the_same_mail_twice_is_one_letter(clerk):
    """Duplicates in one folder: both are accounted for, one entry, one forward."""
    clerk.put(letter(1), letter(1))
    _, line, listed = clerk.run()
    assert (line["messages_seen"], line["unaccounted"]) == (2, 0)
    assert {one.number for one in listed} <= {"5-4/22-1", None}
    assert len({one.number for one in listed if one.number}) == 1
    assert len(clerk.sink.mails) == 1


def test_a_mail_over_the_size_limit_is_held_from_its_headers(clerk):
    """Not dropped, not read whole: held with its sender and subject, and the limit to raise."""
    clerk.put(letter(1, size=40_000), letter(2))
    code, line, listed = clerk.run(size_limit=20_000)
    assert code == 0
    assert (line["held"], line["messages_settled"], line["unaccounted"]) == (1, 1, 0)
    [held] = [one for one in listed if one.state == "held"]
    assert (held.subject, held.sender, held.hold) == ("Letter 1", "writer1@office.example", "too-large")
    assert "size_limit" in held.hold_reason
    assert forwarded(clerk) == [2]


@pytest.mark.parametrize(("backfill", "taken"), [("all", [1, 2, 3]), ("nothing", [3]), ("2024-02-01", [2, 3])])
def test_first_contact_takes_what_backfill_says(clerk, backfill, taken):
    """All that lies there, nothing, or what came since a date; what comes later is always taken."""
    clerk.deliver(letter(1), "Watched", "2024-01-10T10:00:00+02:00")
    clerk.deliver(letter(2), "Watched", "2024-02-10T10:00:00+02:00")
    clerk.run(backfill=backfill)
    clerk.put(letter(3))
    _, line, _ = clerk.run(backfill=backfill)
    assert forwarded(clerk) == taken
    assert line["unaccounted"] == 0


def test_one_failing_mailbox_does_not_stop_the_others(clerk):
    """A wrong folder or password is isolated: told with since when and why; the other mailbox is served."""
    clerk.put(letter(1))
    broken = {**clerk.mailbox("broken", "other@ministry.example", clerk.user), "folder": "Nowhere"}
    good = {**clerk.mailbox("registry", "info@ministry.example", clerk.user), "folder": "Watched"}
    clerk.configure(mailboxes=[broken, good])
    app = clerk.app()
    app._reader = Here()
    assert app.service().run_once() == 3
    lines = {one["mailbox"]: one for one in status(app.store, app.settings, app.clock.now()).mailboxes}
    assert (lines["broken"]["state"], lines["registry"]["state"]) == ("failing", "ok")
    assert "Nowhere" in lines["broken"]["error"]
    assert lines["broken"]["since"]
    assert forwarded(clerk) == [1]


def test_a_folder_that_a_person_deletes_is_said(clerk):
    """The watched folder is gone: failing with its name, no mail lost, and well again when it is back."""
    clerk.put(letter(1))
    clerk.run()
    client = clerk.imap()
    client.delete("Watched")
    assert clerk.run()[1]["state"] == "failing"
    client.create("Watched")
    client.logout()
    clerk.put(letter(2))
    code, line, _ = clerk.run()
    assert (code, line["state"], line["unaccounted"]) == (0, "ok", 0)
    assert forwarded(clerk) == [1, 2]
