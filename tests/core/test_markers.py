"""The words of mail programs: loaded once, every language complete enough, none indispensable."""

import pytest

from mailrouter.core.chain import strip_prefixes
from mailrouter.core.markers import fold, languages, load


def test_knows_thirty_one_languages_and_more():
    """All official languages of the Union, Russian, Ukrainian, Turkish, Norwegian and Icelandic."""
    wanted = {"bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "ga", "it", "lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk", "tr", "nb", "nn", "is"}
    assert wanted <= languages()


@pytest.mark.parametrize(("label", "role"), [("Saatja", "from"), ("LÄHETETTY", "date"), ("Komu", "to"), ("Koopia", "cc"), ("Θέμα", "subject"), ("Kimden", "from"), ("Odpowiedź do", "reply_to"), ("Importance", "other"), ("E-post", "form")])
def test_labels_have_roles(label, role):
    """A label is found whatever its case."""
    assert load().labels[fold(label)].role == role


def test_a_language_can_be_left_out():
    """What only Estonian prints is unknown without Estonian; what others print too stays."""
    words = load(frozenset({"et"}))
    assert "saatja" not in words.labels
    assert "from" in words.labels
    assert "et" not in words.labels["cc"].languages


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("FW: Follow-up", "Follow-up"),
        ("VS: Edasi: FW: Teabenõue", "Teabenõue"),
        ("Re[2]: RE: Fwd: x", "x"),
        ("PĀRS: ATB: Jautājums", "Jautājums"),
        ("İLT: YNT: Soru", "Soru"),
        ("ΠΡΘ: ΑΠ: Ερώτηση", "Ερώτηση"),
        ("SV: VB: Fråga", "Fråga"),
        ("Odp: PD: Pytanie", "Pytanie"),
        ("[EXTERNAL] RE: x", "x"),
        ("[Fwd: Küsimus]", "Küsimus"),
        ("Küsimus: relvaluba", "Küsimus: relvaluba"),
        ("Teema: Re: x", "Teema: Re: x"),
        ("", ""),
        ("  FW:   a   b ", "a b"),
        ("Re:", ""),
    ],
)
def test_prefixes_of_any_language_go(subject, bare):
    """Only what is a known prefix goes, in any number and order."""
    assert strip_prefixes(subject) == bare
