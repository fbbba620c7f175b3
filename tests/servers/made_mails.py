"""Mails shaped as real ones are, for the benchmarks: 12 kB on average, four classes, each with its own Message-ID.

Invariant: mail `number` is always the same bytes; its class is `KINDS[number % 4]`.
"""

import base64
import random

KINDS = ("Invoice", "Notice", "Question", "Report")
_WORDS = [
    "Pöördun",
    "Teie",
    "poole",
    "seoses",
    "elamisloa",
    "pikendamise",
    "küsimusega",
    "mille",
    "menetlus",
    "algas",
    "eelmise",
    "aasta",
    "sügisel",
    "Palun",
    "selgitust",
    "millised",
    "dokumendid",
    "on",
    "veel",
    "vaja",
    "esitada",
    "ja",
    "kui",
    "kaua",
    "otsuse",
    "tegemine",
    "aega",
    "võtab",
    "We",
    "would",
    "be",
    "grateful",
    "for",
    "information",
    "on",
    "the",
    "measures",
    "taken",
    "and",
    "on",
    "the",
    "timetable",
    "that",
    "is",
    "foreseen",
    "for",
    "them",
    "Lisaks",
    "soovin",
    "teada",
    "kas",
    "ministeerium",
    "kavatseb",
    "korda",
    "muuta",
    "ning",
    "millal",
    "vastav",
    "eelnõu",
    "avalikustatakse",
]


def mail(number: int) -> bytes:
    """One mail: headers as relays leave them, text and HTML, in every third a small attachment."""
    chance = random.Random(number)
    kind = KINDS[number % 4]
    paragraphs = [
        " ".join(chance.choices(_WORDS, k=chance.randrange(20, 70))) + "." for _ in range(chance.randrange(3, 8))
    ]
    text = "Tere\n\n" + "\n\n".join(paragraphs) + f"\n\nLugupidamisega\nSaatja {number}\n"
    html = (
        "<html><head><style>p{margin:0cm;font-family:Calibri,sans-serif;}</style></head><body><p>"
        + "</p>\n<p>".join(
            [f"<span style='font-size:11.0pt;mso-fareast-language:EN-US'>{one}</span>" for one in paragraphs]
        )
        + "</p></body></html>"
    )
    boundary = f"----=_Part_{number}_{chance.randrange(10**9)}"
    headers = [
        f"Return-Path: <sender{number}@office{number % 50}.example>",
        *(f"Received: from relay{n}.office.example (relay{n}.office.example [192.0.2.{n + 1}]) by mx{n}.ministry.example "
          f"with ESMTPS id {chance.randrange(16**8):08x}; Thu, 29 Feb 2024 1{n}:05:0{n} +0200" for n in range(4)),
        "Authentication-Results: mx.ministry.example; dmarc=pass header.from=office.example",
        f"From: Saatja {number} <sender{number}@office{number % 50}.example>",
        "To: Info <info@ministry.example>",
        f"Subject: {kind} {number}: {' '.join(chance.choices(_WORDS, k=4)).encode('ascii', 'ignore').decode()}",
        "Date: Thu, 29 Feb 2024 10:05:00 +0200",
        f"Message-ID: <bench{number}@office.example>",
        "MIME-Version: 1.0",
    ]  # fmt: skip
    alternative = (
        f'Content-Type: multipart/alternative; boundary="{boundary}a"\r\n\r\n--{boundary}a\r\n'
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{_coded(text.encode())}\r\n--{boundary}a\r\n"
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{_coded(html.encode())}\r\n--{boundary}a--\r\n"
    )
    if number % 3:
        return ("\r\n".join(headers) + "\r\n" + alternative).encode()
    picture = chance.randbytes(chance.randrange(6_000, 20_000))
    return (
        "\r\n".join(headers)
        + f'\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n--{boundary}\r\n{alternative}\r\n--{boundary}\r\n'
        + f'Content-Type: image/jpeg; name="pilt{number}.jpg"\r\nContent-Transfer-Encoding: base64\r\n'
        + f'Content-Disposition: attachment; filename="pilt{number}.jpg"\r\n\r\n{_coded(picture)}\r\n--{boundary}--\r\n'
    ).encode()


def _coded(data: bytes) -> str:
    return base64.encodebytes(data).decode().replace("\n", "\r\n")
