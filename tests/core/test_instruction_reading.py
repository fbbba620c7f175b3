"""How an author's words are read: whatever they are, where they end, what is shown, and staff's own phrases."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.core.instruction import Orders, read_orders, resolve_orders
from mailrouter.core.instruction.lexicon import build, lexicons
from mailrouter.core.message import Address
from mailrouter.core.people import Directory, Person

AUTHOR = Address("Katarina Budrik", "katarina.budrik@ministry.example")
SEED = (
    "Tere! Palun registreerida Deltasse ministrile suunatud kiri (vastutajaks võib panna minu ja kohe suunata ka\n"
    "ministri nõunikele) Tervitades Katarina"
)
PIECES = st.sampled_from(
    [
        "palun",
        "registreerida",
        "suunata",
        "Marile",
        "ja",
        "ei",
        "ole",
        "vaja",
        ",",
        ".",
        ":",
        "(",
        ")",
        "?",
        "kui",
        "vastutajaks",
        "5",
        "tööpäeva",
        "jooksul",
        "29.02",
        "AK",
        "please",
        "register",
        "forward",
        "to",
        "by",
        "§",
        "35",
        "5-4/22-1",
        "99.99.9999",
        "²",
        "31.",
        "veebruar",
        "\n",
        "kuni",
        "K",
        ".",
        "Budrik",
        "or",
        "või",
        "vaid",
        "mitte",
    ]
)


@given(st.lists(PIECES, max_size=40).map(" ".join) | st.text(max_size=200), st.text(max_size=40))
def test_any_text_is_read_and_resolved(text, subject):
    """No words, however odd, break reading; what is read is always shown with its words."""
    orders = read_orders(text, subject)
    if orders is None:
        return
    assert orders.evidence or orders.unclear
    for sent in ("2024-02-29T13:05:00", None, "nonsense"):
        meaning = resolve_orders(orders, author=AUTHOR, sent=sent, directory=Directory())
        assert meaning.hold == (meaning.unclear is not None)


def test_orders_keep_the_words_as_written():
    """Names stand in the form written until somebody knows the directory."""
    orders = read_orders(SEED, "FW: Follow-up on Global Alliance to Counter Migrant Smuggling")
    assert orders is not None
    assert orders.register
    assert orders.responsible_raw == "@author"
    assert orders.forward_to_raw == ("ministri nõunikele",)
    assert "vastutajaks võib panna minu" in orders.evidence


def test_evidence_is_the_authors_own_words():
    """Every piece of evidence can be found in the mail."""
    orders = read_orders(SEED, "")
    assert orders is not None
    flat = " ".join(SEED.split())
    assert all(words in flat for words in orders.evidence)


@pytest.mark.parametrize(
    "text",
    [
        "Tervitades\nMari\nPalun registreerida ja suunata Jaan Kukele",
        "Best regards,\nMari\nPlease register and forward to Jaan Kukk",
        "This e-mail is confidential. Please forward it to the sender if you are not the addressee.",
        "-- \nPlease register",
        "Aitäh ja tervitustega\nMari\nPalun registreerida",
        "Tere. Tervitades Mari Tamm, nõunik\nPalun registreerida",
    ],
)
def test_nothing_below_the_closing_is_an_order(text):
    """Signatures and disclaimers are boilerplate."""
    assert read_orders(text, "") is None


@pytest.mark.parametrize(
    "text",
    [
        "Thanks! Please register the letter.",
        "Thank you. Please register.",
        "Parimat! Palun registreerida.",
        "This e-mail needs to be registered.",
        "Käesolev kiri palun registreerida.",
        "Tähelepanu! Palun registreerida kohe.",
    ],
)
def test_order_after_a_courteous_word_is_no_signature(text):
    """Only a name makes a closing of it, only a disclaimer's own words a disclaimer."""
    orders = read_orders(text, "")
    assert orders is not None
    assert orders.register


def test_postscript_is_read():
    """What is added below the signature and marked so counts."""
    orders = read_orders("Tere\n\nTervitades\nMari\n\nP.S. Palun registreerida.", "")
    assert orders is not None
    assert orders.register


@pytest.mark.parametrize("prefix", ["FW: ", "Fwd: ", "VS: FW: ", "[EXTERNAL] FW: ", ""])
def test_order_may_stand_in_the_subject(prefix):
    """After forward prefixes; a reply's subject repeats what was said before."""
    orders = read_orders("", f"{prefix}palun registreerida kiri")
    assert (orders is None) == ("VS" in prefix)
    assert read_orders("", "RE: palun registreerida kiri") is None


def test_letters_own_subject_orders_nothing():
    """A title is no order, even where it has the words of one."""
    assert read_orders("", "FW: Request to register vessels; deadline 5 March 2024") is None
    assert read_orders("", "FW: Registration of participants") is None


def test_author_outside_the_directory_keeps_the_name():
    """ "minu" is whoever writes."""
    orders = read_orders("Palun registreerida, vastutajaks mina.", "")
    assert orders is not None
    stranger = resolve_orders(orders, author=Address("Kadri Uus", None), sent=None, directory=Directory())
    assert stranger.responsible == "Kadri Uus"


def test_somebody_who_has_left_is_not_chosen():
    """An entry that ended before the mail does not answer to a given name any more."""
    people = (
        Person("Mari Tamm", "mari.tamm@ministry.example", valid_until="2023-12-31"),
        Person("Mari Lepp", "mari.lepp@ministry.example"),
    )
    orders = read_orders("Palun suunata Marile.", "")
    assert orders is not None
    meaning = resolve_orders(orders, author=AUTHOR, sent="2024-02-29", directory=Directory(people=people))
    assert meaning.forward_to == ("Mari Lepp",)
    assert not meaning.hold


def test_ambiguous_name_is_said_with_its_candidates():
    """A person must choose, and sees among whom."""
    people = (Person("Mari Tamm", "a@ministry.example"), Person("Mari Lepp", "b@ministry.example"))
    meaning = resolve_orders(
        Orders(forward_to_raw=("Marile",)), author=AUTHOR, sent="2024-02-29", directory=Directory(people=people)
    )
    assert meaning.hold
    assert "Mari Tamm" in meaning.unclear
    assert "Mari Lepp" in meaning.unclear


def test_relative_deadline_without_a_date_of_the_mail_is_held():
    """ "reedeks" means no day where nobody knows when it was written."""
    meaning = resolve_orders(Orders(deadline_raw="reedeks"), author=AUTHOR, sent=None, directory=Directory())
    assert meaning.hold
    assert meaning.deadline is None
    dated = resolve_orders(Orders(deadline_raw="15.03.2024"), author=AUTHOR, sent=None, directory=Directory())
    assert dated.deadline == "2024-03-15"


@pytest.mark.parametrize("lexicon", lexicons(), ids=lambda lexicon: lexicon.language)
def test_each_language_can_order_registering_and_say_no(lexicon):
    """A language file without these is no use."""
    kinds = lexicon.kinds
    assert {"cues.ask", "cues.negate", "cues.open"} <= kinds
    assert any(kind.startswith("register.") for kind in kinds)
    assert lexicon.plain("closings")
    purposes = {kind.split(".")[1] for kind in kinds if kind.startswith("purposes.")}
    assert purposes == {"information", "assignment", "reply", "review", "opinion", "signature", "decision"}


@pytest.mark.parametrize("phrase", ["", 5, "~ vaja", "a*"])
def test_phrase_that_cannot_be_read_is_refused(phrase):
    """A slip in a language file is told, not passed over."""
    with pytest.raises(ValueError, match=r"phrase|letters"):
        build({"language": "xx", "cues": {"ask": [phrase]}})


def test_long_text_is_read_in_time():
    """Reading is linear in the text and bounded."""
    text = "palun registreerida ja suunata Marile, kui ei ole vaja " * 20_000
    assert read_orders(text, "") is not None


@pytest.mark.parametrize("text", ["1a" * 6_000, "_a" * 6_000, "a." * 6_000])
def test_what_looks_like_an_address_without_end_is_read_in_time(text):
    """A long row of letters and figures is not looked through again from each of them for an "@"."""
    begun = time.process_time()
    assert read_orders(text, "") is None
    assert time.process_time() - begun < 0.5


def test_order_is_heard_beside_an_address_and_an_aside():
    """Neither an address nor "palun" between commas parts the words of an order."""
    orders = read_orders("Vastutajaks, palun, määrata mari.tamm@ministry.example.", "")
    assert orders is not None
    assert orders.responsible_raw == "mari.tamm@ministry.example"


def test_line_of_marks_alone_is_read():
    """A last line of which folding leaves nothing breaks no reading, and the order above it counts."""
    orders = read_orders("Palun registreerida.\n\u0483", "")
    assert orders is not None
    assert orders.register


@pytest.mark.parametrize("said", ["Palun registreerdia.", "Palun registeerida.", "plase regsiter: palun registrerida"])
def test_slip_of_the_pen_is_mended(said):
    """An order with a slip in its long word is still read."""
    orders = read_orders(said, "")
    assert orders is not None
    assert orders.register


@pytest.mark.parametrize(
    "said",
    [
        "Töötan vastutasuks: Jaan Kukk.",
        "Palun registreeruge koolitusele.",
        "The registrar: Jaan Kukk.",
        "Le registre : Jaan Kukk.",
    ],
)
def test_word_like_an_order_is_not_mended(said):
    """A word that only looks like one of ordering orders nothing."""
    assert read_orders(said, "") is None


def test_quoted_lines_are_not_the_authors():
    """What stands behind ">" beside an author's own lines is somebody else's; where all lines do, it is the author's."""
    assert read_orders("> Palun registreeri.\nSee on juba tehtud.", "") is None
    orders = read_orders("> Palun registreeri.", "")
    assert orders is not None
    assert orders.register


def test_subject_of_another_mail_behind_a_later_prefix_orders_nothing():
    """Only what stands before a later prefix is the forwarder's own."""
    orders = read_orders("", "registreerimiseks FW: please forward to Jaan Kukk")
    assert orders is not None
    assert orders.register
    assert orders.forward_to_raw == ()
