"""The language of a text, and words told apart from their endings (Estonian first).

Invariant: everything here is a pure function of its text; a text that is too short or too mixed has no language (None)
rather than a wrong one.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailrouter.core.langmodel import Model

# The languages that mail to a European ministry comes in: the model chooses among these alone.
LANGUAGES = frozenset(
    [
        "et",
        "en",
        "ru",
        "lv",
        "lt",
        "fi",
        "de",
        "fr",
        "pl",
        "sv",
        "da",
        "nb",
        "nn",
        "cs",
        "sk",
        "sl",
        "hr",
        "hu",
        "ro",
        "bg",
        "el",
        "it",
        "es",
        "pt",
        "nl",
        "tr",
        "uk",
        "is",
        "mt",
        "ga",
    ]
)

_RENAMED = {"no": "nb"}  # the model's word for bokmål
_SAMPLE = 1200  # characters that are looked at: more changes no answer and costs time
_SHORTEST = 12  # letters below which nothing is said
_CERTAIN = 0.5  # of the model's probability, for texts of _ENOUGH letters and more
_CERTAIN_SHORT = 0.85
_ENOUGH = 60  # letters

# Words of short mails that one language alone has; they decide where the model is in doubt.
_TELLING = {
    "et": "palun palume tere lugupidamisega tervitades aitäh edastan manuses kiri",
    "en": "please regards dear thanks attached hello sincerely",
    "fi": "hei ystävällisin terveisin kiitos ohessa liitteenä",
    "lv": "labdien lūdzu paldies cieņu sveiki",
    "lt": "laba diena prašau prašome pagarbiai ačiū",
    "de": "bitte sehr geehrte grüßen danke anbei",
    "fr": "bonjour merci cordialement veuillez madame monsieur",
    "ru": "здравствуйте пожалуйста прошу спасибо уважением",
    "sv": "vänligen hälsningar tack bifogat",
    "pl": "proszę dziękuję pozdrawiam dzień dobry",
}
_TELLING_WORDS = {word: language for language, words in _TELLING.items() for word in words.split()}

# What is the same in every language and only misleads: addresses, links, numbers.
_NOISE = re.compile(r"^(?:.+@.+|.*\d.*)|(?:https?://|www\.).+", re.DOTALL)  # in one word
_SIGN = re.compile(r"[@\d:w]")  # a word without one is no noise
_SPACE = re.compile(r"\s")

# Letters that Unicode does not decompose into a base letter and a mark.
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)

# Estonian: an optional stem vowel, an optional plural, a case ending, an optional -gi/-ki.
# Cases after Erelt, "Eesti keele käsiraamat", the table of declension.
_ESTONIAN_ENDING = re.compile(
    r"""
    (?:[aeiou]{1,2})?                                   # stem vowel: minister-i, nõuniku
    (?:d|t|te|de|id|ed|sid|i|e|u)?                      # plural and partitive
    (?:l|le|lt|s|se|st|sse|ks|ga|ni|na|ta|t|d|de|te)?   # case
    (?:ki|gi)?
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_FOREIGN_ENDING = 5  # letters that may follow a stem in a language whose endings are not listed here


def detect(text: str) -> str | None:
    """The text's language as ISO 639-1, one of `LANGUAGES`; None when it is too short or the model is in doubt."""
    sample = _without_noise(text[: 2 * _SAMPLE], _SAMPLE)
    letters = sum(map(str.isalpha, sample[: 2 * _ENOUGH]))
    if letters < _ENOUGH:
        letters = sum(map(str.isalpha, sample))
    if letters < _SHORTEST:
        return None
    best, probability = _model().best(" ".join(sample.split()))
    wanted = _CERTAIN if letters >= _ENOUGH else _CERTAIN_SHORT
    if probability >= wanted:
        return _RENAMED.get(best, best)
    told = {_TELLING_WORDS[word] for word in sample.casefold().replace(",", " ").split() if word in _TELLING_WORDS}
    return told.pop() if len(told) == 1 else None


def _without_noise(text: str, most: int) -> str:
    """The text with a blank for each noise, its first `most` characters."""
    kept: list[str] = []
    at = length = 0
    sign = _SIGN.search(text)
    while sign and length + sign.start() - at < most:
        word = _word_around(text, sign.start())
        noise = _NOISE.search(text[word])
        if noise:
            before = text[at : word.start + noise.start()]
            kept += (before, " ")
            length += len(before) + 1
            at = word.stop
        sign = _SIGN.search(text, word.stop)
    return "".join((*kept, text[at : at + most]))[:most]


def _word_around(text: str, at: int) -> slice:
    """The word, as white space parts words, that a character stands in."""
    begin = at
    while begin and not text[begin - 1].isspace():
        begin -= 1
    behind = _SPACE.search(text, at)
    return slice(begin, behind.start() if behind else len(text))


@cache
def _model() -> "Model":
    """The model, loaded once a process."""
    from mailrouter.core.langmodel import load  # noqa: PLC0415  # 60 MB that most commands never need

    return load()


def fold(text: str) -> str:
    """The text case-folded and without diacritics: "Läänemets" and "LAANEMETS" become the same; Cyrillic й, ё too."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold())
    for character in set(folded):  # few are not ASCII: replacing each takes a fifth of the time of a walk over the text
        if character > "\x7f":
            if unicodedata.combining(character):
                folded = folded.replace(character, "")
            elif ord(character) in _UNDECOMPOSED:
                folded = folded.replace(character, _UNDECOMPOSED[ord(character)])
    return folded


def stem_matches(stem: str, text: str, language: str | None = None) -> bool:
    """Whether a whole word (or words, for a stem with spaces) of `text` is `stem` with a plausible ending.

    Both sides are folded first. With `language` "et" the ending must be an Estonian one; otherwise an Estonian one or
    up to five letters. A stem of several words is matched at its last word: "ministri nõunik" finds
    "ministri nõunikele".
    """
    return bool(_pattern(_folded(stem), language).search(_folded(text)))


_folded = lru_cache(maxsize=512)(fold)  # the same words are asked of the same texts again and again


@lru_cache(maxsize=4096)
def _pattern(stem: str, language: str | None) -> re.Pattern[str]:
    """The compiled pattern of a folded stem."""
    ending = _ESTONIAN_ENDING.pattern
    if language != "et":
        ending = rf"(?:{ending}|[^\W\d_]{{0,{_FOREIGN_ENDING}}})"
    words = r"\s+".join(re.escape(word) for word in stem.split())
    return re.compile(rf"(?<![\w]){words}{ending}(?!\w)", re.VERBOSE)
