"""Every form of a verb, in order and in refusal: what one wording orders, the others order too."""

import pytest

from mailrouter.core.instruction import Orders, read_orders

# infinitive, singular and plural imperative, conditional stem, first person, participle; what it orders, of what
ESTONIAN = [
    ("registreerida", "registreeri", "registreerige", "registreeriks", "registreerin", "registreeritud", "register", "kiri"),
    ("panna", "pane", "pange", "paneks", "panen", "pandud", "register", "kiri Deltasse"),
    ("kanda", "kanna", "kandke", "kannaks", "kannan", "kantud", "register", "kiri registrisse"),
    ("sisestada", "sisesta", "sisestage", "sisestaks", "sisestan", "sisestatud", "register", "kiri DHSi"),
    ("võtta", "võta", "võtke", "võtaks", "võtan", "võetud", "register", "kiri arvele"),
    ("suunata", "suuna", "suunake", "suunaks", "suunan", "suunatud", "forward", "kiri Jaanile"),
    ("saata", "saada", "saatke", "saadaks", "saadan", "saadetud", "forward", "kiri Jaanile"),
    ("edastada", "edasta", "edastage", "edastaks", "edastan", "edastatud", "forward", "kiri Jaanile"),
    ("jagada", "jaga", "jagage", "jagaks", "jagan", "jagatud", "forward", "kirja Jaaniga"),
    ("esitada", "esita", "esitage", "esitaks", "esitan", "esitatud", "forward", "kiri Jaanile"),
    ("tutvustada", "tutvusta", "tutvustage", "tutvustaks", "tutvustan", "tutvustatud", "forward", "kirja Jaanile"),
    ("määrata", "määra", "määrake", "määraks", "määran", "määratud", "responsible", "vastutajaks Jaan Kukk"),
    ("märkida", "märgi", "märkige", "märgiks", "märgin", "märgitud", "responsible", "vastutajaks Jaan Kukk"),
    ("lahendada", "lahenda", "lahendage", "lahendaks", "lahendan", "lahendatud", "purpose", "kiri 5. märtsiks"),
    ("allkirjastada", "allkirjasta", "allkirjastage", "allkirjastaks", "allkirjastan", "allkirjastatud", "purpose", "kiri 5. märtsiks"),
]  # fmt: skip
ESTONIAN_ORDERS = [
    "Palun {da} {what}.", "Palun {what} {da}.", "{ge} {what}.", "{ge} palun {what}.", "{imp} {what}.",
    "Palun {imp} {what}.", "Kas saaksid {what} {da}?", "Kas võiksite {da} {what}?", "Oleksin tänulik, kui {ks}id {what}.",
    "Tuleks {da} {what}.", "{what} tuleb {da}.", "Ole hea, {imp} {what}.",
]  # fmt: skip
ESTONIAN_OTHERS = [
    "Ära {imp} {what}.", "Ärge {ge} {what}.", "{what} ei ole vaja {da}.", "Ma {n} {what} ise.", "{what} on juba {tud}.",
    "Kui soovid, võid {da} {what}.", "Palun mitte {da} {what}.", "Mari palus {da} {what}.", "Kas {da} {what}?",
    "Vajadusel {da} {what}.", "Mari ütles, et palun {da} {what}.",
]  # fmt: skip
# base, -ing, past; what it orders, of what
ENGLISH = [
    ("register", "registering", "registered", "register", "the letter"),
    ("log", "logging", "logged", "register", "the letter in Delta"),
    ("enter", "entering", "entered", "register", "the letter in the register"),
    ("forward", "forwarding", "forwarded", "forward", "the letter to Jaan Kukk"),
    ("send", "sending", "sent", "forward", "it to Jaan Kukk"),
    ("circulate", "circulating", "circulated", "forward", "it to the advisers"),
    ("share", "sharing", "shared", "forward", "it with Jaan Kukk"),
    ("assign", "assigning", "assigned", "responsible", "it to Jaan Kukk"),
    ("mark", "marking", "marked", "responsible", "Jaan Kukk as responsible"),
    ("appoint", "appointing", "appointed", "responsible", "Jaan Kukk as responsible"),
    ("answer", "answering", "answered", "purpose", "the letter by 5 March"),
    ("sign", "signing", "signed", "purpose", "the letter by 5 March"),
]
ENGLISH_ORDERS = [
    "Please {v} {what}.", "{v} {what}, please.", "Could you {v} {what}?", "Would you mind {ing} {what}?",
    "I would be grateful if you could {v} {what}.", "May I ask you to {v} {what}?", "You should {v} {what}.",
    "Can somebody {v} {what}?", "Please do not forget to {v} {what}.", "Please, {v} {what}.",
]  # fmt: skip
ENGLISH_OTHERS = [
    "Do not {v} {what}.", "There is no need to {v} {what}.", "I have already {ed} {what}.", "They asked us to {v} {what}.",
    "Should we {v} {what}?", "If you like, you can {v} {what}.", "Please refrain from {ing} {what}.",
    "Did you {v} {what}?", "She {ed} {what}.", "Mari said that you should please {v} {what}.",
]  # fmt: skip


def _sentences(table, frames, names):
    for row in table:
        *forms, orders, what = row
        words = dict(zip(names, forms, strict=True), what=what)
        for frame in frames:
            sentence = frame.format(**words)
            yield pytest.param(sentence[0].upper() + sentence[1:], orders, id=sentence)


def _estonian(frames):
    return _sentences(ESTONIAN, frames, ("da", "imp", "ge", "ks", "n", "tud"))


def _english(frames):
    return _sentences(ENGLISH, frames, ("v", "ing", "ed"))


def _ordered(orders: Orders | None) -> set[str]:
    if orders is None:
        return set()
    found = {
        "register": orders.register,
        "forward": orders.forward_to_raw,
        "responsible": orders.responsible_raw,
        "purpose": orders.purpose,
        "doubt": orders.unclear,
    }
    return {name for name, value in found.items() if value}


@pytest.mark.parametrize(("sentence", "wanted"), [*_estonian(ESTONIAN_ORDERS), *_english(ENGLISH_ORDERS)])
def test_every_form_orders(sentence, wanted):
    """A request is understood in whatever form it is made."""
    assert _ordered(read_orders(sentence, "")) == {wanted}


@pytest.mark.parametrize(("sentence", "ordered"), [*_estonian(ESTONIAN_OTHERS), *_english(ENGLISH_OTHERS)])
def test_no_form_orders_when_refused_or_told(sentence, ordered):
    """Refusals, reports, questions and other people's wishes order nothing, whatever the verb."""
    assert ordered not in _ordered(read_orders(sentence, ""))


@pytest.mark.parametrize(
    "sentence", ["Edastan teadmiseks.", "FYI", "Täitmiseks.", "For signature.", "Suunan Sulle täitmiseks."]
)
def test_a_purpose_alone_orders_nothing(sentence):
    """A purpose is said of something that is ordered; alone, and to nobody, it asks for nothing."""
    assert read_orders(sentence, "") is None


@pytest.mark.parametrize("sentence", ["Täitmiseks 5. märtsiks.", "Palun vastata.", "For reply by 5 March."])
def test_a_purpose_with_a_deadline_or_a_verb_orders(sentence):
    """A deadline or a verb of request makes a purpose a task."""
    orders = read_orders(sentence, "")
    assert orders is not None
    assert orders.purpose in {"assignment", "reply"}


def test_quoted_words_are_not_the_authors():
    """What stands in quotation marks is somebody's words or a title."""
    assert read_orders('See the note "please forward to Tarmo" on page one.', "") is None
    assert read_orders('Palun registreerida kiri "Register your interest".', "") is not None
