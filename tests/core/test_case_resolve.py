"""A reading becomes a case: who wrote to us, who may order, whom the letter means, what must be held."""

from dataclasses import replace

import pytest

from mailrouter.core.case import CASE, Loops, MailboxRef, as_read, identity_keys, resolve, thread_lookup_keys
from mailrouter.core.chain.hops import Hop
from mailrouter.core.instruction import Orders
from mailrouter.core.letter.letters import Letter, Party
from mailrouter.core.message import Address
from mailrouter.core.nature import LOOP_HEADER, loop_token
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Directory, Group, Institution, Person, Role, Unit
from mailrouter.core.reading import Mail, Reading
from mailrouter.core.trust import Trust

DIRECTORY = Directory(
    people=(
        Person("Katarina Budrik", "katarina.budrik@ministry.example", "nõunik", "Välissuhete osakond"),
        Person("Lauri Läänemets", "minister@ministry.example", "siseminister"),
    ),
    groups=(Group("ministri nõunikud", ("Katarina Budrik",)),),
    roles=(Role("minister", "Lauri Läänemets", ("siseminister", "Minister of Interior")),),
    units=(Unit("dokumendihalduse talitus", "dokumendid@ministry.example"),),
    institutions=(Institution("European Commission", domains=("ec.europa.eu",)),),
)
TRUSTED = (("Authentication-Results", "mx.ministry.example; dmarc=pass header.from=ministry.example"),)
KATARINA = Address("Katarina Budrik", "katarina.budrik@ministry.example")
COMMISSION = Address("HOME GLOBAL ALLIANCE", "HOME-GLOBAL-ALLIANCE@ec.europa.eu")
ORDERS = Orders(register=True, responsible_raw="@author", evidence=("Palun registreerida",))


def hop(author, text="words", **more) -> Hop:
    return Hop(author, (), (), "Letter", "2024-02-29T11:57:00", "", None, text, "forward", "inline", 0.9, **more)


def reading(
    author=KATARINA, chain=(), *, letters=(), orders=None, headers=TRUSTED, nature="person", holds=()
) -> Reading:
    message = Mail(
        "<1@ministry.example>", author, (), (), "FW: Letter", "2024-02-29T13:05:00+02:00", "Tere!", nature=nature, headers=headers
    )  # fmt: skip
    return Reading("1", "1" * 64, 1, message, bool(chain), tuple(chain), letters, orders, holds)


def case_of(read, **more):
    return resolve(
        read,
        mailbox=MailboxRef("registry", "info@ministry.example"),
        received="2024-02-29T13:06:00+02:00",
        directory=DIRECTORY,
        domains=("ministry.example",),
        trust=Trust(("mx.ministry.example",)),
        **more,
    )


@pytest.mark.parametrize(
    ("outer", "chain", "index"),
    [
        (KATARINA, [COMMISSION, Address("CONF", None)], 0),
        (KATARINA, [Address("Birgit Paal", "birgit@ministry.example"), COMMISSION], 1),
        (KATARINA, [Address("Birgit", "birgit@post.ministry.example"), COMMISSION], 1),  # a subdomain of ours
        (KATARINA, [Address("Läänemets, Lauri (SiM)", None), COMMISSION], 1),  # Outlook's inside name
        (KATARINA, [Address("ministri nõunikud", None), Address("Dokumendihalduse talitus", None), COMMISSION], 2),
        (KATARINA, [Address("", "/O=EXCHANGELABS/OU=GROUP/CN=BIRGIT"), COMMISSION], 1),
        (KATARINA, [Address("Lauri Läänemets", "lauri@freemail.example")], 0),  # an address beats a name
        (KATARINA, [Address("HOME COUNTERSMUGGLING CONF", None)], 0),  # a name that we do not know
        (KATARINA, [Address("[email protected]", None), COMMISSION], 0),  # redacted
        (KATARINA, [None, COMMISSION], 0),
        (KATARINA, [Address("birgit.paal@ministry.example", None), COMMISSION], 1),
        (COMMISSION, [KATARINA, COMMISSION], -1),
        (Address("", "x@notministry.example"), [], -1),
        (KATARINA, [Address("Birgit", "BIRGIT@MINISTRY.EXAMPLE")], None),
        (KATARINA, [], None),
    ],
)
def test_newest_outsider_wrote_to_us(outer, chain, index):
    """The newest author outside our domains wrote to us, the fetched mail's if it came from outside."""
    case = case_of(reading(outer, [hop(author) for author in chain]))
    assert (case.incoming.index if case.incoming else None) == index
    assert case.oldest.index == len(chain) - 1


def test_what_is_quoted_is_a_claim():
    """What a colleague passes on is claimed; what came to us itself is not."""
    assert case_of(reading(KATARINA, [hop(COMMISSION)])).incoming.claimed
    assert not case_of(reading(COMMISSION)).incoming.claimed


def test_sender_and_forwarder():
    """A colleague is the forwarder with the directory's entry; an outsider has an institution and forwards nothing."""
    inside = case_of(reading(KATARINA, [hop(COMMISSION)]))
    assert (inside.sender.internal, inside.sender.verified, inside.sender.institution) == (True, True, None)
    assert inside.forwarder.unit == "Välissuhete osakond"
    unlisted = case_of(reading(Address("Uus Kolleeg", "uus@ministry.example")))
    assert (unlisted.forwarder.name, unlisted.forwarder.email) == ("Uus Kolleeg", "uus@ministry.example")
    outside = case_of(reading(COMMISSION))
    assert (outside.sender.internal, outside.sender.verified, outside.sender.institution) == (
        False,
        False,
        "European Commission",
    )
    assert outside.forwarder is None


@pytest.mark.parametrize(
    ("letter", "author", "institution"),
    [
        (Letter((), Party("Anne Kask", institution="Metsaamet"), Party()), Address("Anne", "anne@forest.example"), "Metsaamet"),
        (Letter(("k.pdf",), Party(None, institution="Metsaamet"), Party()), Address("Kantselei", "info@metsaamet.example"), "Metsaamet"),
        (Letter(("k.pdf",), Party(None, institution="Metsaamet"), Party(), text="info@forest.example"), Address("", "x@forest.example"), "Metsaamet"),
        (Letter(("k.pdf",), Party("Anne Kask", institution="Metsaamet"), Party()), Address("Anne Kask", "anne@kask.example"), "Metsaamet"),
        (Letter(("k.pdf",), Party("Anne Kask", institution="Metsaamet"), Party()), Address("Mari Maasikas", "mari@gmail.com"), None),
        (Letter((), Party("Mari Maasikas", institution="Tallinn"), Party()), Address("Mari Maasikas", "mari@gmail.com"), None),
        (Letter(("k.pdf",), Party("Anne Kask", institution="Metsaamet"), Party()), Address("Mari", "mari@maasikas.example"), None),
    ],
)  # fmt: skip
def test_letterhead_names_an_institution_that_the_directory_lacks(letter, author, institution):
    """The letterhead speaks for its own sender; a citizen who encloses an office's letter stays a citizen."""
    assert case_of(reading(author, letters=(letter,))).incoming.institution == institution


def test_verified_colleague_orders():
    """A verified colleague's orders count, with "minu" as the colleague's own name."""
    instruction = case_of(reading(KATARINA, [hop(COMMISSION)], orders=ORDERS)).instruction
    assert (instruction.register, instruction.responsible) == (True, "Katarina Budrik")


@pytest.mark.parametrize(
    "read",
    [
        reading(KATARINA, [hop(COMMISSION)], orders=ORDERS, headers=()),  # not verified
        reading(COMMISSION, orders=ORDERS),  # from outside
        reading(KATARINA, [hop(COMMISSION)], orders=ORDERS, nature="automatic"),
        reading(KATARINA, [hop(COMMISSION)]),
    ],
)
def test_nobody_else_orders(read):
    """Outsiders, unverified senders and machines order nothing."""
    assert case_of(read).instruction is None


def test_unclear_order_is_held():
    """A contradiction is shown to a person."""
    unclear = replace(ORDERS, unclear="registreerida ja mitte registreerida")
    case = case_of(reading(KATARINA, [hop(COMMISSION)], orders=unclear))
    assert [hold.code for hold in case.holds] == ["unclear"]
    assert "mitte" in case.holds[0].reason


@pytest.mark.parametrize(
    ("addressee", "person", "post"),
    [
        (Party("Lauri LÄÄNEMETS", "Minister of Interior, Estonia"), "Lauri Läänemets", "minister"),
        (Party(None, "Siseminister"), "Lauri Läänemets", "minister"),
        (Party("Lauri Läänemets"), "Lauri Läänemets", "minister"),
        (Party("Katarina Budrik"), "Katarina Budrik", None),
        (Party("Mari Maasikas", "Director"), None, None),
        (Party(), None, None),
    ],
)
def test_letters_parties_are_resolved(addressee, person, post):
    """The addressee as printed becomes the directory's person and post."""
    case = case_of(reading(COMMISSION, letters=(Letter((), Party("Ylva Johansson"), addressee),)))
    assert (case.letters[0].addressee.person, case.letters[0].addressee.post) == (person, post)
    assert case.letters[0].author.person is None


def test_loops_are_held():
    """A mail that went through us too often, or through too many servers, is held."""
    key = b"secret"
    once = (*TRUSTED, (LOOP_HEADER, loop_token("1" * 64, 1, key)))
    often = (*TRUSTED, (LOOP_HEADER, loop_token("1" * 64, 5, key)))
    forged = (*TRUSTED, (LOOP_HEADER, loop_token("1" * 64, 5, b"guess")))
    circle = (*TRUSTED, *(("Received", "from a.example") for _ in range(51)))
    natures = {}
    for name, headers in {"once": once, "often": often, "forged": forged, "circle": circle}.items():
        case = case_of(reading(KATARINA, headers=headers), loops=Loops(key))
        natures[name] = (case.nature, case.message.nature, [hold.code for hold in case.holds])
    assert natures["once"] == natures["forged"] == ("person", "person", [])
    assert natures["often"] == natures["circle"] == ("loop", "loop", ["loop"])


def test_what_could_not_be_read_stays_held():
    """The holds of reading are the case's."""
    encrypted = Hold("encrypted", "a person must open it")
    assert case_of(reading(COMMISSION, holds=(encrypted,))).holds == (encrypted,)


def test_case_survives_its_storage():
    """A case comes back from its JSON as it went in, and its JSON has the keys of `read --json`."""
    case = case_of(reading(KATARINA, [hop(COMMISSION)], orders=ORDERS, letters=(Letter((), Party(), Party()),)))
    stored = CASE.dump_json(case, by_alias=True)
    assert CASE.validate_json(stored) == case
    assert b'"from"' in stored


def test_explain_shows_what_read_shows():
    """`explain` has every key of `read`, with verified, incoming and instruction filled."""
    read = reading(KATARINA, [hop(COMMISSION)], orders=ORDERS)
    shown = as_read(read, case_of(read), "x.eml", 3)
    assert (shown["file"], shown["index"], shown["incoming"], shown["message"]["verified"]) == ("x.eml", 3, 0, True)
    assert shown["instruction"]["responsible"] == "Katarina Budrik"
    assert shown["chain"][0]["from"]["address"] == COMMISSION.address
    assert shown["sender"]["why"]


def test_lookup_asks_for_every_identity():
    """Whatever the directory says later, the keys of the letter's identity were asked for."""
    read = reading(KATARINA, [hop(COMMISSION), hop(Address("CONF", None))])
    asked = set(thread_lookup_keys(read, ("ministry.example",)))
    case = case_of(read)
    assert set(identity_keys(case.sha256, case.incoming, case.letters, case.attachments)) <= asked


def test_same_inputs_give_the_same_case():
    """Resolving is deterministic."""
    read = reading(KATARINA, [hop(COMMISSION)], orders=ORDERS)
    assert case_of(read) == case_of(read)
