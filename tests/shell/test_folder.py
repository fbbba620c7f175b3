"""A directory of .eml files as a mailbox."""

import os
import threading
import time

import pytest

from mailrouter import settings
from mailrouter.shell import mailboxes
from mailrouter.shell.errors import Permanent
from mailrouter.shell.mailboxes.interface import EpochChanged, Moved

LIMIT = 10_000


@pytest.fixture
def root(directory_mailbox):
    return directory_mailbox.directory


@pytest.fixture
def box(directory_mailbox):
    return mailboxes.connect(directory_mailbox)


@pytest.fixture
def put(root):
    """Lay an old enough file into the mailbox."""

    def lay(name, raw, age=100):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    return lay


def raws(box, folder="INBOX"):
    epoch = box.state(folder).uidvalidity
    return [one.raw for one in box.fetch(folder, epoch, box.uids(folder, epoch), LIMIT)]


def test_files_are_mails_in_order_of_time(box, put, mail):
    """Each .eml is a mail, the oldest first; other files are none."""
    put("b.eml", mail("old"), age=300)
    put("a.EML", mail("new"), age=100)
    put("note.txt", b"x")
    assert raws(box) == [mail("old"), mail("new")]


def test_uids_stay_and_are_never_given_twice(directory_mailbox, box, put, mail):
    """A removed mail's UID is not given again; a changed file is a new mail; another connection sees the same."""
    put("a.eml", mail(1), age=300)
    second = put("b.eml", mail(2), age=200)
    epoch = box.state("INBOX").uidvalidity
    assert box.uids("INBOX", epoch) == [1, 2]
    second.unlink()
    put("c.eml", mail(3))
    assert box.uids("INBOX", epoch) == [1, 3]
    put("a.eml", mail("changed"), age=50)
    again = mailboxes.connect(directory_mailbox)
    assert again.state("INBOX").uidvalidity == epoch
    assert again.uids("INBOX", epoch) == [3, 4]
    assert again.uids("INBOX", epoch, after=3) == [4]


def test_a_file_being_written_is_waited_for(box, root, mail):
    """A file that grows while we look is not read in half."""

    def write():
        with (root / "slow.eml").open("wb") as file:
            for byte in mail(1):
                file.write(bytes([byte]))
                file.flush()
                time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)
    seen = []
    deadline = time.monotonic() + 10
    while not seen and time.monotonic() < deadline:
        seen = raws(box)
    writer.join()
    assert seen == [mail(1)]


def test_mail_over_the_limit_comes_by_its_headers(box, put, mail):
    """A large file is not read whole."""
    big = mail("big", body="x" * 50_000)
    put("big.eml", big)
    (one,) = box.fetch("INBOX", box.state("INBOX").uidvalidity, [1], LIMIT)
    assert (one.whole, one.size) == (False, len(big))
    assert one.raw == big.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_move_and_its_proof(box, put, mail, root):
    """A move names the new UID; what is not there is gone; two files of one name do not overwrite each other."""
    put("a.eml", mail(1))
    put("Done/a.eml", mail("other"))
    epoch = box.state("INBOX").uidvalidity
    assert box.move("INBOX", epoch, [1, 9], "Done") == [Moved(1, "moved", 2), Moved(9, "gone")]
    assert sorted(raws(box, "Done")) == sorted([mail(1), mail("other")])
    assert raws(box) == []


def test_append_flag_find_remove(box, mail):
    """What is appended is found by its Message-ID and by what it refers to, and removed once."""
    uid = box.append("Drafts", mail(1, "In-Reply-To: <letter@y.example>"), ["\\Draft"])
    epoch = box.state("Drafts").uidvalidity
    assert box.find("Drafts", "<1@x.example>") == [uid]
    assert box.find("Drafts", "<1@x.exam") == []
    assert box.find_references("Drafts", "<letter@y.example>") == [uid]
    box.flag("Drafts", epoch, [uid, 99], ["\\Flagged"])
    (one,) = box.fetch("Drafts", epoch, [uid], LIMIT)
    assert one.flags == ("\\Draft", "\\Flagged")
    assert box.remove("Drafts", epoch, uid) is True
    assert box.remove("Drafts", epoch, uid) is False
    assert box.special("drafts") == "Drafts"
    assert box.find("Nowhere", "<1@x.example>") == []


def test_a_lost_index_is_a_new_epoch(box, put, mail, root):
    """Without its index a folder's UIDs mean nothing any more, and every command says so."""
    put("a.eml", mail(1))
    epoch = box.state("INBOX").uidvalidity
    for path in root.glob(".mailrouter-index.json"):
        path.unlink()
    time.sleep(1.1)
    assert box.state("INBOX").uidvalidity != epoch
    with pytest.raises(EpochChanged):
        box.move("INBOX", epoch, [1], "Done")
    assert raws(box) == [mail(1)]


@pytest.mark.parametrize("name", ["../out", "/etc", "a/../../b", ".hidden", "a//b", "nul\0"])
def test_a_folder_name_is_never_a_way_out(box, name, mail, root):
    """A name from a template stays inside the mailbox."""
    with pytest.raises(Permanent):
        box.append(name, mail(1))
    assert not list(root.parent.glob("out*"))


def test_idle_tells_a_new_file(box, put, mail):
    """A file that comes while waiting wakes the poll; stop is obeyed."""
    box.state("INBOX")
    assert box.idle("INBOX", 0.1, threading.Event()) is False
    timer = threading.Timer(0.2, put, ("a.eml", mail(1)))
    timer.start()
    begun = time.monotonic()
    assert box.idle("INBOX", 20, threading.Event()) is True
    assert time.monotonic() - begun < 3
    timer.join()
    stop = threading.Event()
    stop.set()
    assert box.idle("INBOX", 20, stop) is False


def test_two_connections_give_no_uid_twice(directory_mailbox, mail):
    """Appends from several threads all arrive, each under its own UID."""

    def work(number):
        box = mailboxes.connect(directory_mailbox)
        uids.extend(box.append("Sent", mail(f"{number}-{one}")) for one in range(10))

    uids = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(uids) == list(range(1, 41))
    assert len(raws(mailboxes.connect(directory_mailbox), "Sent")) == 40


def test_a_missing_directory_names_the_remedy(tmp_path):
    """A directory that is not there is a person's matter."""
    wrong = settings.Mailbox(name="files", address="a@ministry.example", directory=tmp_path / "no")
    with pytest.raises(Permanent, match="no directory"):
        mailboxes.connect(wrong)
