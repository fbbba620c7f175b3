"""Mail that hangs, crashes or eats memory is held; the next mail is read; no child is left behind."""

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from mailrouter.shell.reading import ReadingPool, iter_paths


def mail(subject: str, body: str = "Tere, palun registreerida.") -> bytes:
    return (
        f"From: Mari <mari@x.example>\nSubject: {subject}\nDate: Thu, 29 Feb 2024 13:05:00 +0200\n\n{body}\n".encode()
    )


def slow_mail() -> bytes:
    """Many long mails enclosed in one: several seconds of honest work."""
    block = "".join(f"{'> ' * (n % 40)}From: Mari Maasikas <mari{n}@x.example>\n" for n in range(5000))
    enclosed = b"".join(b"--b\nContent-Type: message/rfc822\n\n" + mail(f"inner {n}", block * 3) for n in range(40))
    return b"Content-Type: multipart/mixed; boundary=b\n" + mail("slow", "") + enclosed + b"--b--\n"


def children() -> list[int]:
    """The process ids of the reading children alive now."""
    return [each.pid for each in multiprocessing.active_children() if each.pid]


def test_a_mail_that_takes_too_long_is_held_and_the_next_is_read():
    """The hold names what was exceeded and the setting that raises it; what the headers say is there."""
    with ReadingPool(3.0, 1024) as pool:
        first = pool.read(mail("warm"))
        slow, after = pool.read(slow_mail()), pool.read(mail("after"))
    assert not first.holds
    assert [hold.code for hold in slow.holds] == ["unreadable"]
    assert "3 seconds" in slow.holds[0].reason
    assert "reading.seconds" in slow.holds[0].reason
    assert (slow.message.subject, slow.message.author.address) == ("slow", "mari@x.example")
    assert (after.message.subject, after.holds) == ("after", ())


def test_a_child_that_is_killed_takes_no_other_mail_with_it():
    """A crash in the middle of a batch: the mail that it was is held, the others of the batch are read, in order."""
    mails = [mail("one"), slow_mail(), mail("three")]

    def kill_soon():
        time.sleep(1.5)
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    with ReadingPool(3.0, 1024) as pool:
        pool.read(mail("warm"))
        killer = threading.Thread(target=kill_soon)
        killer.start()
        readings = list(pool.read_many(mails))
        killer.join()
    assert [reading.message.subject for reading in readings] == ["one", "slow", "three"]
    assert [bool(reading.holds) for reading in readings] == [False, True, False]


def test_a_crash_is_said_to_be_one():
    """The reason names the signal and what may help."""
    with ReadingPool(30.0, 1024) as pool:
        pool.read(mail("warm"))
        timer = threading.Timer(0.5, lambda: [os.kill(pid, signal.SIGSEGV) for pid in children()])
        timer.start()
        reading = pool.read(slow_mail())
        timer.join()
    assert "signal 11" in reading.holds[0].reason
    assert "reading.mebibytes" in reading.holds[0].reason


def test_a_mail_that_eats_memory_is_held_and_the_next_is_read():
    """The limit is the operating system's: the child really runs out."""
    with ReadingPool(30.0, 400) as pool:
        big = pool.read(mail("big", "x" * 80_000_000))
        after = pool.read(mail("after"))
    assert [hold.code for hold in big.holds] == ["unreadable"]
    assert "400 MiB" in big.holds[0].reason
    assert (after.message.subject, after.holds) == ("after", ())


def attached(name: str, content: bytes) -> bytes:
    head = (
        b"From: Mari <mari@x.example>\nSubject: "
        + name.encode()
        + b"\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nTere\n"
    )
    return (
        head
        + b"--bb\nContent-Type: application/octet-stream; name="
        + name.encode()
        + b"\n\n"
        + content
        + b"\n--bb--\n"
    )


def heavy_page() -> bytes:
    """A PDF page whose few kilobytes draw ten million letters."""
    drawn = zlib.compress(b"BT /F1 1 Tf " + b"(abcdefghijklmnopqrstuvwxyz) Tj 1 0 Td " * 400_000 + b"ET")
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1<</Type/Font/Subtype/Type1"
        b"/BaseFont/Helvetica>>>>>>/Contents 4 0 R>>endobj\n4 0 obj<</Filter/FlateDecode/Length "
        + str(len(drawn)).encode() + b">>stream\n" + drawn + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n"
    )  # fmt: skip


def endless_pages() -> bytes:
    """A PDF that claims a hundred thousand pages, which are itself."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 100000>>endobj\n"
        b"trailer<</Root 1 0 R>>\n"
    )


def xml_bomb() -> bytes:
    """A DOCX whose entities unfold to gigabytes."""
    entities = "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
    xml = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">{entities}]><d>&j;</d>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", xml)
    return out.getvalue()


def test_a_page_that_hangs_the_reader_is_held_and_the_next_mail_is_read():
    """The child is ended in the middle of it."""
    with ReadingPool(3.0, 1024) as pool:
        pool.read(mail("warm"))
        heavy, after = pool.read_many([attached("heavy.pdf", heavy_page()), mail("after")])
    assert [hold.code for hold in heavy.holds] == ["unreadable"]
    assert (after.message.subject, after.holds) == ("after", ())


def test_documents_made_to_break_readers_break_nothing():
    """Endless pages, unfolding entities, a cut container: each mail is read, its fault listed, and the next one too."""
    broken = {"endless.pdf": endless_pages(), "bomb.docx": xml_bomb(), "cut.asice": b"PK\x03\x04cut"}
    with ReadingPool(60.0, 1024) as pool:
        readings = list(pool.read_many([*(attached(*each) for each in broken.items()), mail("after")]))
    assert [reading.message.subject for reading in readings] == [*broken, "after"]
    assert not [hold for reading in readings for hold in reading.holds]
    assert all(reading.message.defects for reading in readings[:3])


def test_idle_children_end_and_come_back():
    """A service that reads a mail an hour does not keep children for it."""
    with ReadingPool(30.0, 1024, idle_seconds=0.3) as pool:
        pool.read(mail("one"))
        deadline = time.monotonic() + 10
        while children() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not children()
        assert pool.read(mail("two")).message.subject == "two"


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path):
    """No child is left running when the service is killed the hard way."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import multiprocessing, time\n"
        "from mailrouter.shell.reading import ReadingPool\n"
        "if __name__ == '__main__':\n"
        "    pool = ReadingPool(30.0, 1024)\n"
        "    pool.read(b'Subject: x\\n\\nx')\n"
        "    print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert pids
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if _lives(pid)]


def _lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_closed_pool_reads_no_more():
    """After close there are no children, and reading says why it cannot."""
    pool = ReadingPool(30.0, 1024)
    pool.read(mail("one"))
    pool.close()
    assert not children()
    with pytest.raises(RuntimeError, match="closed"):
        pool.read(mail("two"))


def test_files_directories_and_mbox(tmp_path: Path):
    """Directories recursive and sorted, each mail of an mbox by itself, what is missing with its error."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.eml").write_bytes(mail("two"))
    (tmp_path / "a.mbox").write_bytes(
        b"From mari@x.example Thu Feb 29 13:05:00 2024\n" + mail("first", "x\n\n>From here on") +
        b"\nFrom mari@x.example Thu Feb 29 13:06:00 2024\n" + mail("second", "x\n\nFrom 12:00 it is noon")
    )  # fmt: skip
    (tmp_path / "notes.txt").write_text("no mail")
    found = list(iter_paths([tmp_path, tmp_path / "gone.eml"]))
    assert [(Path(each.file).name, each.index) for each in found] == [
        ("a.mbox", 0), ("a.mbox", 1), ("two.eml", 0), ("gone.eml", 0),
    ]  # fmt: skip
    assert found[0].raw == mail("first", "x\n\nFrom here on")
    assert found[3].raw is None
    assert "gone.eml" in (found[3].error or "")


def test_standard_input_is_one_mail(tmp_path: Path):
    """`-` reads what is piped in."""
    code = "from mailrouter.shell.reading import iter_paths; print([(f.file, f.raw) for f in iter_paths(['-'])])"
    done = subprocess.run([sys.executable, "-c", code], input=b"Subject: x\n\nx", capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[('-', b'Subject: x\\n\\nx')]"
