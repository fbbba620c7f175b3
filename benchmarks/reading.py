"""Reading speed and memory: python benchmarks/reading.py [--count N]

Messages per second for plain mail, forwarded mail, mail with a two-page PDF and with an .asice: by the processor time of
one core in this process, and by the clock on the wall through one child and two; the peak memory of a child for a mail of 35 MiB; the cost of a reading that is stored.
"""

import argparse
import base64
import io
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "corpus" / "containers"))

from make import asice, certificate, signature
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from mailrouter.core.containers import Limits
from mailrouter.core.reading import READING, read
from mailrouter.shell.reading import ReadingPool

# What citizens write about; no sentence comes twice, so that nothing is gained by remembering one.
SENTENCES = (
    "Pöördun Teie poole seoses elamisloa pikendamise küsimusega, mille menetlus algas {n} päeva tagasi.",
    "Palun selgitust, millised dokumendid on vaja esitada lisaks {n} leheküljele, mis mul juba olemas on.",
    "Minu taotlus anti üle teenindussaalis, kuid järjekorranumbriga {n} ei jõudnud ma ametniku jutule.",
    "Töötan ehitusettevõttes, kus on umbes {n} töötajat, ja tööandja ootab minult kinnitust.",
    "Abikaasa ja lapsed elavad praegu Lätis, kuhu on meilt {n} kilomeetrit maad.",
    "Telefonis öeldi, et otsus tehakse lähiajal, aga sellest kõnest on möödas juba {n} nädalat.",
    "Kodulehel on kirjas, et riigilõiv on {n} eurot, kuid arvel seisis hoopis teine summa.",
    "Sooviksin teada, kas hoone number {n} juurde kavandatav piirdeaed vajab ehitusluba.",
    "Naabrid on samuti mures, sest müra on alates kella {n} nii vali, et lapsed ei maga.",
    "Eelmisel aastal sain vastuse kiiresti ja olin asjaajamisega rahul, hindan seda {n} punktiga.",
    "Olen pensionär ja internetis asjade ajamine võttis mul tervelt {n} tundi.",
    "Kas vabatahtlikul päästjal on õigus lisapuhkusele, kui väljakutseid oli aastas {n}?",
    "Bussipeatus asub meie majast {n} meetri kaugusel ja talvel on tee sinna libe.",
    "Korteriühistu üldkoosolekul osales {n} omanikku, kes kõik toetasid avalduse esitamist.",
    "Loodan, et leiate võimaluse minu {n}. pöördumisele sisuliselt vastata.",
    "Lisan teadmiseks, et sama küsimus on olnud arutusel vallavolikogus, kus poolt oli {n} saadikut.",
    "Passi kehtivusaeg lõpeb suvel ja reis on broneeritud {n} inimesele.",
    "Konsulaadis väideti, et vajaliku templi saamiseks kulub vähemalt {n} tööpäeva.",
    "Piiripunktis ootasime autoga järjekorras {n} tundi, kuigi aeg oli ette broneeritud.",
    "Minu isikut tõendav dokument jäi rongi vagunisse {n} ja leidja on selle teile toonud.",
    "Sündmuskohale saabus patrull {n} minuti pärast ning vormistas protokolli.",
    "Trahviteates on märgitud kiiruseks {n} kilomeetrit tunnis, millega ma ei nõustu.",
    "Kool korraldab turvalisuse päeva, kuhu tuleb {n} õpilast koos õpetajatega.",
    "Seltsil on {n} liiget ja oleme tegutsenud piirkonnas üle kümne aasta.",
)


def prose(number: int, sentences: int = 16) -> str:
    """So many sentences for a mail of a number: which ones, and the figures in them, are its own."""
    chosen = (SENTENCES[(number * 7 + at * 5) % len(SENTENCES)] for at in range(sentences))
    texts = [each.format(n=2 + (number * 31 + at * 17) % 9973) for at, each in enumerate(chosen)]
    return "\n\n".join(" ".join(texts[at : at + 2]) for at in range(0, sentences, 2))


LETTER = (
    "Dear Minister,", "", "The conference successfully brought together all Member States and partner countries.",
    "I invite you to nominate a person of contact at the right level by 15 March 2024 and to communicate the details to",
    "CONTACT-MAILBOX@commission.example.", "", "Yours sincerely,", "", "Mari Maasikas", "Director",
)  # fmt: skip


def plain(number: int) -> bytes:
    """A citizen's mail of some 2 kB of words, as mail programs send it."""
    body = f"Tere\n\n{prose(number)}\n\nLugupidamisega\nMari Maasikas\n"
    return (
        headers(f"Küsimus {number}")
        + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(body.encode())
    )


def forwarded(number: int) -> bytes:
    """The same, passed on by a colleague with an order."""
    body = (
        "Palun registreerida ja suunata ministri nõunikele.\n\nFrom: Mari Maasikas <mari@x.example>\nSent: Thursday, 29 February 2024 11:57\n"
        f"To: Info <info@ministry.example>\nSubject: Küsimus {number}\n\n{prose(number)}"
    )
    return headers(f"FW: Küsimus {number}") + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body.encode()


def headers(subject: str) -> bytes:
    lines = [
        f"Received: from relay{n}.x.example by mx.ministry.example with ESMTPS id {n}; Thu, 29 Feb 2024 13:05:0{n} +0200"
        for n in range(5)
    ]
    lines += ["From: Mari Maasikas <mari@x.example>", "To: info@ministry.example", f"Subject: {subject}"]
    lines += ["Date: Thu, 29 Feb 2024 13:05:00 +0200", "Message-ID: <a@x.example>", "MIME-Version: 1.0", ""]
    return "\r\n".join(lines).encode()


def pdf(pages: int) -> bytes:
    """A letter of some pages."""
    out = io.BytesIO()
    drawn = canvas.Canvas(out, pagesize=A4)
    for _ in range(pages):
        for row in range(40):
            drawn.drawString(72, 780 - row * 18, LETTER[row % len(LETTER)])
        drawn.showPage()
    drawn.save()
    return out.getvalue()


def with_file(number: int, name: str, content: bytes) -> bytes:
    """A covering mail with one attachment."""
    text = f"Tere\n\nLisatud on kiri {number}.\n\nLugupidamisega\nMari"
    return (
        headers(f"Kiri {number}")
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + text.encode()
        + f"\r\n--b\r\nContent-Type: application/octet-stream; name={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + base64.encodebytes(content)
        + b"--b--\r\n"
    )


def rate(
    mails: list[bytes], work: Callable[[list[bytes]], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    started = clock()
    work(mails)
    return len(mails) / (clock() - started)


def here(mails: list[bytes]) -> None:
    for raw in mails:
        read(raw, Limits())


def child_peak() -> float:
    """The largest resident size that any child has had, in MB."""
    peaks = []
    for child in multiprocessing.active_children():
        status = Path(f"/proc/{child.pid}/status").read_text()
        peaks.append(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1000)
    return max(peaks)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=400)
    count = options.parse_args().count
    two_pages = pdf(2)
    made, _ = certificate("MARI", "MAASIKAS")
    signed = asice({"kiri.pdf": two_pages}, [signature("S0", made, ["kiri.pdf"])])
    kinds = {
        "plain mail": [plain(n) for n in range(count)],
        "forwarded with an order": [forwarded(n) for n in range(count)],
        "two-page PDF": [with_file(n, "kiri.pdf", two_pages) for n in range(max(20, count // 5))],
        ".asice with that PDF": [with_file(n, "kiri.asice", signed) for n in range(max(20, count // 5))],
    }
    here([mails[0] for mails in kinds.values()])  # loads what is loaded once
    print(f"{'messages a second':28}{'bytes':>8}{'one core':>10}{'1 child':>10}{'2 children':>12}")
    with ReadingPool(60, 1024, 1) as one, ReadingPool(60, 1024, 2) as two:
        for pool in (one, two):
            list(pool.read_many([plain(0)] * 64))
        for name, mails in kinds.items():
            figures = [
                rate(mails, here, time.process_time),
                rate(mails, lambda batch: list(one.read_many(batch))),
                rate(mails, lambda batch: list(two.read_many(batch))),
            ]
            print(f"{name:28}{len(mails[0]):>8}{figures[0]:>10.0f}{figures[1]:>10.0f}{figures[2]:>12.0f}")
    large = with_file(0, "large.bin", os.urandom(26 * 1024 * 1024))
    large_pdf = with_file(0, "kiri.pdf", pdf(2) + os.urandom(25 * 1024 * 1024))
    for name, raw in (("35 MiB, unknown file", large), ("34 MiB, padded PDF", large_pdf)):
        with ReadingPool(60, 1024, 1) as pool:
            pool.read(plain(0))
            before = child_peak()
            started = time.perf_counter()
            reading = pool.read(raw)
            took = time.perf_counter() - started
            print(
                f"{name}: {len(raw) / 2**20:.1f} MiB in {took:.2f} s, child's peak {child_peak():.0f} MB ({before:.0f} before), holds {len(reading.holds)}"
            )
    stored = READING.dump_json(read(kinds["two-page PDF"][0], Limits()), by_alias=True)
    print(
        f"a stored reading: {rate([stored] * 200, lambda all_: [READING.validate_json(each) for each in all_]):.0f} a second, {len(stored)} bytes"
    )


if __name__ == "__main__":
    main()
