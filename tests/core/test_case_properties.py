"""Laws of resolving: it never raises, whatever was read, and says the same of the same."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.case import CASE, Loops, MailboxRef, registered_keys, resolve, thread_lookup_keys
from mailrouter.core.chain.hops import Hop
from mailrouter.core.letter.letters import Letter, Party
from mailrouter.core.message import Address, Attachment
from mailrouter.core.people import Directory, Institution, Person, Role
from mailrouter.core.reading import Mail, Reading
from mailrouter.core.register import Correspondent, Entry, KnownEntry, find_numbers
from mailrouter.core.trust import Trust

DIRECTORY = Directory(
    people=(Person("Katarina Budrik", "katarina@ministry.example"),),
    roles=(Role("minister", "Lauri Läänemets", ("siseminister",)),),
    institutions=(Institution("European Commission", domains=("ec.europa.eu",)),),
)
WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "5-4/22-1",
            "Teie nr 5-4/22-1",
            "Ares(2024)1234567",
            "minister",
            "",
            "word " * 60,
            "@",
            "Re: Fwd: ",
            "@ministry.example",
        ]
    ),
)
ADDRESSES = st.one_of(
    st.none(),
    st.builds(
        Address,
        WORDS,
        st.one_of(st.none(), WORDS, st.sampled_from(["x@ministry.example", "home@ec.europa.eu", "a@b@c", "/O=X"])),
    ),
)
TIMES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "2024-02-29",
            "0001-01-01T00:00:00",
            "9999-12-31T23:59:59-12:00",
            "0001-01-01T00:00:00+14:00",
            "2024-02-29T11:57:00",
            "garbage",
            "T",
        ]
    ),
)
NAMED = st.sampled_from(["<1@x>", "<2@x>", "<" + "x" * 900 + ">", "<ü@x>"])
IDS = st.one_of(st.none(), st.just(""), NAMED)
DIGESTS = st.sampled_from(["a" * 64, "b" * 64, ""])
ATTACHMENTS = st.builds(
    Attachment,
    WORDS,
    st.sampled_from(["application/pdf", "image/png", ""]),
    st.integers(0, 9),
    st.tuples(WORDS),
    st.booleans(),
    sha256=DIGESTS,
)
LETTERS = st.builds(
    Letter, st.one_of(st.just(()), st.tuples(WORDS)), st.builds(Party, st.none() | WORDS, st.none() | WORDS, st.none() | WORDS), st.builds(Party, st.none() | WORDS, st.none() | WORDS),
    reference=st.none() | WORDS, their_reference=st.none() | WORDS, dated=st.none() | st.just("2024-02-28"), text=WORDS, subject=st.none() | WORDS,
)  # fmt: skip
HOPS = st.builds(
    Hop,
    ADDRESSES,
    st.just(()),
    st.just(()),
    WORDS,
    TIMES,
    st.just(""),
    IDS,
    WORDS,
    st.sampled_from(["forward", "reply"]),
    st.just("inline"),
    st.just(0.5),
)
MAILS = st.builds(
    Mail, IDS, ADDRESSES, st.just(()), st.just(()), WORDS, TIMES, WORDS, attachments=st.lists(ATTACHMENTS, max_size=2).map(tuple), in_reply_to=st.lists(NAMED, max_size=2).map(tuple),
    references=st.lists(NAMED, max_size=3).map(tuple), headers=st.just((("Authentication-Results", "mx; dmarc=pass header.from=ministry.example"),)),
)  # fmt: skip
READINGS = st.builds(
    Reading,
    st.just("1"),
    DIGESTS,
    st.just(1),
    MAILS,
    st.booleans(),
    st.lists(HOPS, max_size=3).map(tuple),
    st.lists(LETTERS, max_size=2).map(tuple),
)


def case_of(reading, known=()):
    return resolve(
        reading, mailbox=MailboxRef("registry", "info@ministry.example"), received="2024-02-29T13:06:00+02:00", directory=DIRECTORY, domains=("ministry.example",),
        trust=Trust(("mx",)), known=known, loops=Loops(b"k"),
    )  # fmt: skip


def entry_of(case) -> Entry:
    author = case.incoming.author if case.incoming else None
    sender = Correspondent(case.incoming.institution, author.name, author.address) if author else None
    return Entry(
        "incoming",
        "Letter",
        "5",
        "5-4",
        "5-4/22-1",
        22,
        1,
        "2024-02-29T12:00:00+02:00",
        sender=sender,
        message=case.sha256,
    )


@settings(max_examples=150, deadline=None)
@given(READINGS, READINGS)
def test_resolving_never_raises_and_is_deterministic(first, second):
    """Whatever two mails say, each resolves, its case can be stored, and resolving again gives the same."""
    entry = entry_of(case_of(first))
    keys = registered_keys(case_of(first), entry)
    asked = set(thread_lookup_keys(second))
    known = (KnownEntry(entry, tuple(sorted(asked & set(keys))), keys),) if asked & set(keys) else ()
    case = case_of(second, known)
    assert case == case_of(second, known)
    assert CASE.validate_json(CASE.dump_json(case, by_alias=True)) == case
    assert all(len(key) <= 300 for key in (*keys, *asked))


@settings(max_examples=100, deadline=None)
@given(READINGS)
def test_same_bytes_again_are_a_duplicate(reading):
    """A mail that was registered is its own duplicate when it comes again."""
    reading = replace(reading, sha256="c" * 64)
    entry = entry_of(case_of(reading))
    keys = registered_keys(case_of(reading), entry)
    asked = set(thread_lookup_keys(reading))
    case = case_of(reading, (KnownEntry(entry, tuple(sorted(asked & set(keys))), keys),))
    assert case.thread.relation == "duplicate"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["5-4/22-1", "14-13.1/67-1", "2.2.-1/25/21-7", "JUR-3/163-1"]))
def test_number_in_brackets_is_found_in_any_text(text, number):
    """A number that stands in brackets on a line of its own is found, whatever stands around it."""
    assert number in find_numbers(f"{text}\n\n[{number}]\n\n{text}")
