"""The language of a text, folded words, Estonian case endings."""

import io
from importlib.resources import files

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from mailrouter.core.langmodel import load, pack
from mailrouter.core.language import LANGUAGES, detect, fold, stem_matches

SENTENCES = {
    "et": "Palume Teie arvamust eelnõu kohta hiljemalt kahe nädala jooksul.",
    "en": "We would be grateful for your comments on the draft within two weeks.",
    "fr": "Nous vous saurions gré de nous faire parvenir vos observations sur le projet.",
    "de": "Wir bitten Sie um Ihre Stellungnahme zu dem beigefügten Entwurf.",
    "fi": "Pyydämme lausuntoanne liitteenä olevasta sopimusluonnoksesta.",
    "lv": "Lūdzam sniegt viedokli par pievienoto likumprojektu divu nedēļu laikā.",
    "lt": "Prašome pateikti nuomonę dėl pridedamo susitarimo projekto.",
    "ru": "Просим сообщить ваше мнение о прилагаемом проекте соглашения.",
    "sv": "Vi ber er att lämna synpunkter på det bifogade förslaget.",
    "pl": "Prosimy o przekazanie uwag do załączonego projektu umowy.",
    "uk": "Просимо повідомити вашу думку щодо доданого проєкту угоди.",
}


@pytest.mark.parametrize(("language", "text"), list(SENTENCES.items()))
def test_a_sentence_is_told_by_its_language(language, text):
    """One sentence of a letter is enough."""
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "OK", "12.04.2024", "https://www.example.example/a", "FW: 5-4/22-1"])
def test_too_short_a_text_has_no_language(text):
    """Nothing is said rather than something wrong."""
    assert detect(text) is None


def test_addresses_and_links_do_not_decide():
    """An Estonian sentence among English-looking addresses stays Estonian."""
    text = "Palun saatke vastus: information.services.department@ministry.example https://www.ministry.example/the/page"
    assert detect(text) == "et"


def test_only_known_languages_are_answered():
    """Whatever the text, the answer is among the listed languages."""
    assert detect("Lorem ipsum dolor sit amet, consectetur adipiscing elit sed do eiusmod") in {*LANGUAGES, None}


def test_folding_takes_marks_off():
    """Names written with and without diacritics become the same."""
    assert fold("LÄÄNEMETS") == fold("Laanemets") == "laanemets"
    assert fold("Šmigun Žukauskas Ødegård") == "smigun zukauskas odegard"


@pytest.mark.parametrize(
    ("stem", "text"),
    [
        ("nõunik", "ministri nõunikele"),
        ("nounik", "Palun suunata nõunikule"),
        ("ministri nõunik", "edastada ministri nõunikele"),
        ("Budrik", "vastutaja on Katarina Budrikut"),
        ("osakond", "osakond"),
        ("advis", "please forward to the advisers"),
    ],
)
def test_a_stem_is_found_with_its_endings(stem, text):
    """Case endings do not hide a word."""
    assert stem_matches(stem, text)


@pytest.mark.parametrize(
    ("stem", "text"),
    [("minist", "ministeerium"), ("kiri", "kirjutama"), ("register", "registreering"), ("amet", "ametiasutuses")],
)
def test_another_word_is_no_ending(stem, text):
    """A longer word that begins alike is another word."""
    assert not stem_matches(stem, text, "et")


def test_the_model_walked_at_once_answers_as_the_library_does():
    """Whatever the text, the best language and its probability are those that py3langid's own walk gives."""
    codes = (LANGUAGES - {"nb"}) | {"no"}
    theirs = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    theirs.set_languages(codes)
    ours = load()
    assert ours.languages == codes
    words = " ".join(SENTENCES.values()).split()
    texts = [*SENTENCES.values(), "a", "žõ", "ÕÄÖÜ", " ".join(words), " ".join(reversed(words)), "…\ud800 x"]
    texts += [" ".join(words[at : at + 5]) for at in range(0, len(words), 5)]
    for text in texts:
        language, probability = theirs.rank(text)[0]
        assert ours.best(text) == (language, pytest.approx(probability, abs=1e-3))  # sums in another order


def test_the_model_that_is_shipped_is_the_library_s():
    """The numbers are those of the library that the tests run with: nothing was lost when they were packed."""
    shipped = np.load(files("mailrouter.core") / "data" / "languages.npz")
    theirs = np.load(io.BytesIO(pack((LANGUAGES - {"nb"}) | {"no"})))
    assert set(shipped.files) == set(theirs.files)
    assert [name for name in theirs.files if not np.array_equal(shipped[name], theirs[name])] == []
