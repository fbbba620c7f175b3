"""Laws of the chain reader: what any program wraps, in any language, unwinds to what it was; nothing makes it raise."""

import cProfile
import pstats
from dataclasses import dataclass
from datetime import datetime

import pytest
from babel.dates import format_datetime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.core import markers
from mailrouter.core.chain import strip_prefixes, unwind_text

PEOPLE = [
    ("Mari Maasikas", "mari@asutus.example"), ("Õie Pärn-Käär", "oie.parn-kaar@asutus.example"), ("Jānis Bērziņš", "janis@iestade.example"),
    ("O'Connor, John", "john.oconnor@office.example"), ("Ольга Петрова", "olga@vedomstvo.example"), ("R. Dunmore", "r.dunmore@office.example"),
    ("Kantselei", "kantselei@asutus.example"), ("SMIT klienditugi", "tugi@asutus.example"), ("Anna van der Berg", "anna@bureau.example"),
]  # fmt: skip
BODIES = [
    "Tere!\n\nPalun registreerida.\n\nLugupidamisega", "FYI - please handle. The deadline is 14 June.\n\nTo do:\n- check\n- reply",
    "Tervist\n\nSaadan lisatud dokumendid:\n- taotlus.pdf\n- lisa 1: volikiri\nTel: 612 5000\nE-post: info@asutus.example",
    "Palun vaadake üle.\nTähtaeg: 15.06.2024\nViide: 14-7/123-1", "Ola mundi fer", "Добрый день!\n\nПрошу продлить.\n\n--\nОльга\n+372 612 5000",
    "Dear all,\n\nthe meeting is on 12 May 2024 at 10:00:\n\n1. Opening\n2. Other\n\nKind regards\nJohn", "",
]  # fmt: skip
SUBJECTS = ["Küsimus vormi kohta", "Teabenõue nr 12-3/456", "Request for information: border crossing", "Запрос", "Complaint (ref. 2024/118)"]
# What no table knows: labels, titles and verbs of languages that do not exist.
INVENTED = {
    "x1": ("Quav", "Zelb", "Ompi", "Kopu", "Trem", "Vorlandu mesto", "vruchte"),
    "x2": ("Ňəru", "Ulši ta", "Ğomi", "Dva", "Þrem", "Ęrku olam", "ğastu"),
    "x3": ("გნ", "დრო", "სად", "ასლ", "რა", "ძველი წერ", "წერდა"),
    "x4": ("送", "時", "宛", "写", "題", "元の便", "書"),
}


@dataclass(frozen=True)
class Words:
    author: str
    date: str
    to: str
    cc: str
    subject: str
    title: str
    locale: str | None


def tongues() -> dict[str, Words]:
    """The first label of each kind in every language of the data, and the invented languages."""
    found = {}
    data = markers._read("data/markers.ini")
    for code in data.sections():
        first = {key: data[code].get(key, "?").split(" | ")[0].rstrip("?") for key in ("from", "date", "to", "cc", "subject", "original")}
        locale = {"pt-br": "pt_BR", "pt": "pt_PT", "sr-latn": "sr_Latn"}.get(code, code)
        if code in ("zh", "ja", "ko"):  # they print dates in an order of their own; their users' programs print English ones too
            locale = "en"
        found[code] = Words(first["from"], first["date"], first["to"], first["cc"], first["subject"], first["original"] or "Message", locale)
    for code, words in INVENTED.items():
        found[code] = Words(*words[:6], None)
    return found


TONGUES = tongues()


@dataclass(frozen=True)
class Mail:
    author: tuple[str, str]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    subject: str
    when: datetime
    body: str


def shown(person, style):
    name, address = person
    name = f'"{name}"' if "," in name else name
    return {"angle": f"{name} <{address}>", "mailto": f"{name} [mailto:{address}]", "double": f"{name} <{address}<mailto:{address}>>"}[style]


def printed(when, words, style):
    if words.locale is None:
        return when.strftime(("%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M")[style % 2])
    return format_datetime(when, ("EEEE, d. MMMM y HH:mm", "d MMM y HH:mm", "y-MM-dd HH:mm", "EEEE d MMMM y HH:mm")[style % 4], locale=words.locale)


def lines_of(mail, words, draw):
    """The header lines of one mail by role."""
    style = draw(st.sampled_from(["angle", "angle", "mailto", "double"]))
    separator = "; " if any("," in name for name, _ in (*mail.to, *mail.cc)) else draw(st.sampled_from([", ", "; "]))
    rows = {
        "from": (words.author, shown(mail.author, style)),
        "date": (words.date, printed(mail.when, words, draw(st.integers(0, 3)))),
        "to": (words.to, separator.join(shown(one, style) for one in mail.to)),
        "subject": (words.subject, mail.subject),
    }
    if mail.cc:
        rows["cc"] = (words.cc, separator.join(shown(one, style) for one in mail.cc))
    return rows


ORDERS = {
    "outlook": ("from", "date", "to", "cc", "subject"),
    "gmail": ("from", "date", "subject", "to", "cc"),
    "thunderbird": ("subject", "date", "from", "to", "cc"),
    "apple": ("from", "subject", "date", "to", "cc"),
    "yahoo": ("from", "to", "cc", "date", "subject"),
}
TITLES = {"outlook": ("", "-----{}-----", "________________________________"), "gmail": ("---------- {} ---------",), "thunderbird": ("-------- {} --------",),
          "apple": ("{}:",), "yahoo": ("----- {} -----",)}  # fmt: skip


def quoted(text):
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


@st.composite
def wrapped(draw, inner, mail, words):
    """A mail's text below a header block, as one of the programs prints it."""
    program = draw(st.sampled_from(sorted(ORDERS)))
    rows = lines_of(mail, words, draw)
    colon = draw(st.sampled_from([": ", ": ", "\u00a0: ", ":\t"]))
    bold = draw(st.sampled_from(["", "", "*"]))
    gap = "\n\n" if program == "outlook" and draw(st.integers(0, 4)) == 0 else "\n"
    block = gap.join(f"{bold}{label}{colon.rstrip(' ') if bold else colon}{bold}{' ' if bold else ''}{value}" for label, value in (rows[role] for role in ORDERS[program] if role in rows))
    title = draw(st.sampled_from(TITLES[program])).format(words.title)
    below = f"{block}\n\n{inner}"
    if program == "apple":
        below = quoted(below)
    return f"{title}\n{'' if program != 'apple' else chr(10)}{below}" if title else below


@st.composite
def chains(draw):
    """A text with one to four mails forwarded inside each other, and the mails, newest first."""
    base = draw(st.sampled_from(SUBJECTS))
    depth = draw(st.integers(1, 4))
    mails, text = [], ""
    for level in range(depth):
        people = draw(st.lists(st.sampled_from(PEOPLE), min_size=3, max_size=5, unique=True))
        cut = draw(st.integers(2, len(people)))
        mail = Mail(people[0], tuple(people[1:cut]), tuple(people[cut:]), "Fwd: " * level + base,
                    datetime(2024, draw(st.integers(1, 12)), draw(st.integers(1, 28)), draw(st.integers(0, 23)), draw(st.integers(0, 59))), draw(st.sampled_from(BODIES)))  # fmt: skip
        words = TONGUES[draw(st.sampled_from(sorted(TONGUES)))]
        inner = f"{mail.body}\n\n{text}" if text else mail.body
        text = draw(wrapped(inner, mail, words))
        mails.insert(0, mail)
    outer = draw(st.sampled_from(BODIES))
    return f"{outer}\n\n{text}" if outer else text, outer, "Fwd: " * depth + base, mails


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(chains())
def test_unwinds_what_programs_wrap(made):
    """A chain of forwards by any programs, in any languages, gives back every mail, newest first by nesting."""
    text, outer, subject, mails = made
    chain = unwind_text(text, subject)
    assert chain.text == outer
    assert [hop.text for hop in chain.hops] == [mail.body for mail in mails]
    for hop, mail in zip(chain.hops, mails, strict=True):
        assert hop.author is not None
        assert (hop.author.name, hop.author.address) == mail.author
        assert [(one.name, one.address) for one in hop.to] == list(mail.to)
        assert [(one.name, one.address) for one in hop.cc] == list(mail.cc)
        assert hop.subject == mail.subject
        assert hop.sent == mail.when.strftime("%Y-%m-%dT%H:%M:00")
        assert hop.kind == "forward"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(TONGUES)), st.sampled_from(PEOPLE), st.sampled_from(BODIES[:-1]), st.sampled_from([0, 2, 3]), st.data())
def test_unwinds_replies(code, person, body, style, data):
    """An attribution line with a date, a mailbox and a colon above a quotation is a reply in any language."""
    words = TONGUES[code]
    when = datetime(2024, data.draw(st.integers(1, 12)), data.draw(st.integers(1, 28)), 9, 30)
    verb = INVENTED[code][6] if code in INVENTED else "kirjutas"
    attribution = f"{printed(when, words, style)}, {shown(person, 'angle')} {verb}:"
    chain = unwind_text(f"Aitäh!\n\n{attribution}\n\n{quoted(body)}", "Re: x")
    assert [(hop.kind, hop.text, hop.sent) for hop in chain.hops] == [("reply", body, when.strftime("%Y-%m-%dT%H:%M:00"))]
    assert chain.hops[0].author is not None
    assert (chain.hops[0].author.name, chain.hops[0].author.address) == person
    assert chain.text == "Aitäh!"


PIECES = [
    "From:", "From: a@b.example", "Sent: 10.05.2024 11:47", "To:", "Subject: x", "> ", ">>>", "On 10.05.2024 11:47, A <a@b.example> wrote:", "-----Original Message-----",
    "________________________________", "\n", "\n\n", "\t", "\u00a0", "*From:*", "| a | b |", "=?utf-8?q?x?=", "<a@b.example<mailto:", "[email protected]", ":", "：", '"', "a@", "2024", "12:", "İ", "ß", "\x00", "\u2028",
    "[EXTERNAL]", "CAUTION: external sender", "-- ", "Tere",
]  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8))).map("".join)), st.text(max_size=20))
def test_never_raises(text, subject):
    """Any text is read; marks lie inside the texts they mark."""
    chain = unwind_text(text, subject)
    strip_prefixes(text)
    for words, found in [(chain.text, chain.marks), *((hop.text, hop.marks) for hop in chain.hops)]:
        assert all(0 <= mark.start < mark.end <= len(words) for mark in found)


def test_order_is_by_nesting():
    """A hop below another is the older one, whatever the dates say."""
    blocks = [f"From: A{year} <a{year}@x.example>\nSent: Monday, 1 January {year} 10:00\nTo: B <b@x.example>\nSubject: s\n\nwords\n\n" for year in (2020, 2024, 2018, 2022)]
    chain = unwind_text("".join(blocks), "FW: s")
    assert [hop.sent[:4] for hop in chain.hops] == ["2020", "2024", "2018", "2022"]


@pytest.mark.parametrize("unit", ["From:\n", ">", "> \n", "On Mon, 1 Jan 2024 at 10:00, A <a@b.example> wrote:\n", "From: a ", "a: b\n", "-----x-----\n", "<", "Re: "])
def test_hostile_text_takes_linear_time(unit):
    """Four times the text takes about four times as long: counted in calls, not in seconds."""
    def calls(size):
        profile = cProfile.Profile()
        profile.enable()
        unwind_text((unit * (size // len(unit) + 1))[:size], "s")
        profile.disable()
        return pstats.Stats(profile).total_calls

    calls(2000)
    assert calls(40_000) <= 6 * calls(10_000) + 1000


def test_languages_are_plenty():
    """Labels of at least 31 languages take part in these laws."""
    assert len(TONGUES) - len(INVENTED) >= 31
