"""Where a title ends and a place begins, for timetables whose columns were lost.

Invariant: cities and countries come from Babel's CLDR and data/places.yaml; a place is returned as printed, a declined
name as the name itself.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.core import get_global

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.phrases import phrases
from mailrouter.core.wordlists import load_words

_LANGUAGES = ("en", "et", "fr", "de", "fi", "lv", "lt", "ru")
_ARTICLES = frozenset(
    [
        "the",
        "new",
        "san",
        "los",
        "las",
        "den",
        "saint",
        "st.",
        "addis",
        "tel",
        "rio",
        "sankt",
        "la",
        "le",
        "el",
        "abu",
        "kuala",
        "cape",
    ]
)
_ONLINE = re.compile(
    r"(?:online|on-line|virtual|videoconference|video conference|vtc|webex|teams|microsoft teams|hybrid|veebis|video|en ligne|visioconference|etayhteys|tiessaiste|nuotoliniu budu|онлайн|virtuell)(?:\s?\(.*\)|\s?/.*)?"
)
_TENTATIVE = re.compile(r"^\((?:tbc|tbd|tba|to be confirmed|tbc\.|tapsustamisel)\)$")


@cache
def _countries() -> frozenset[str]:
    """Folded country names in the languages that letters use."""
    names = {flat(name) for code in _LANGUAGES for name in Locale.parse(code).territories.values()}
    return frozenset(names | {"the netherlands", "usa", "uk", "turkey", "czech republic", "holland", "moldova"})


@cache
def _data() -> dict[str, Any]:
    """Towns, endings and cases of place names, by language."""
    loaded: dict[str, Any] = load_words((files("mailrouter.core") / "data" / "places.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def _towns(language: str) -> dict[str, tuple[str, ...]]:
    """The listed towns of a language, each with its other stems."""
    listed = (str(entry).split("=") for entry in _data()["towns"].get(language, ()))
    return {name: tuple(stems) for name, *stems in listed}


@cache
def _cities() -> frozenset[str]:
    """Folded names of cities that are known for their time zone, capitals nearly all."""
    zones = (zone.get("city", "") for code in _LANGUAGES for zone in Locale.parse(code).time_zones.values())
    more = "the hague|hague|haag|geneva|genf|geneve|strasbourg|strasburg|frankfurt|new york|bonn|lyon|milan|barcelona|valletta|nicosia|tartu|parnu|narva|istanbul|tampere|turku|warsaw|krakow|gdansk|the haag|munich|washington|mombasa|islamabad|niamey"
    keys = {str(key).rpartition("/")[2].replace("_", " ") for key in get_global("zone_territories")}
    towns = (name for language in _data()["towns"] for name in _towns(language))
    return frozenset({flat(city) for city in (*zones, *keys, *towns) if city} | set(more.split("|")))


def is_open(text: str) -> bool:
    """Whether a place is said to be open: "To be defined"."""
    return bool(phrases().open_place.match(flat(text).strip(" .()")))


def is_place(text: str) -> bool:
    """Whether a line as a whole is a place: open, online, a city, or a city and a country."""
    folded = flat(text).strip(" .")
    bare = re.sub(r"\s*\((?:tbc|tbd|to be confirmed)\)$", "", folded)
    if is_open(text) or _TENTATIVE.match(folded) or _ONLINE.fullmatch(folded) or bare in _cities():
        return True
    city, comma, country = bare.rpartition(",")
    return bool(comma) and country.strip() in _countries() and _city_begin(city) == 0 and len(city.split()) <= 4


def place_split(text: str) -> tuple[str, str | None]:
    """(title, place) of words in which the place stands last: "… private sector The Hague, The Netherlands"."""
    bare = re.sub(r"\s*\((?:tbc|tbd|to be confirmed)\)\s*$", "", text)
    before, comma, country = bare.rpartition(",")
    if comma and flat(country.strip()) in _countries():
        begin = _city_begin(before)
        return text[:begin].rstrip(" ,;–-"), text[begin:].strip()
    for words in (3, 2, 1):
        pieces = bare.split()
        city = " ".join(pieces[-words:])
        if len(pieces) > words and (flat(city) in _cities() or is_open(city)):
            at = bare.rindex(city)
            return text[:at].rstrip(" ,;–-"), text[at:].strip()
    return text, None


_NAME = re.compile(r"[^\W\d_]{3,}(?:-[^\W\d_]+)*(?=(\s[A-Z][^\W\d_]+)?)")


def city_in(text: str, language: str | None) -> str | None:
    """The name of a known city that the words hold, case endings allowed for ("Tallinnas" → "Tallinn")."""
    for match in _NAME.finditer(text):
        word = match.group()
        if not word[0].isupper():
            continue
        name = _declined(word, language) if language else None
        if name:
            return name
        for whole in (word + (match.group(1) or ""), word):
            if flat(whole) in _cities():
                return whole
    return None


@cache
def _declined(word: str, language: str) -> str | None:
    """The city whose name a declined word begins with, in the letter's language."""
    ending = _data()["endings"].get(language)
    if not ending:
        return None
    folded, stems = flat(word), _stems(language)
    for finish in range(len(folded), _SHORTEST - 1, -1):
        name = stems.get(folded[:finish])
        if name and re.fullmatch(ending, folded[finish:]):
            return name
    return None


_SHORTEST = 3  # letters of a stem


@cache
def _stems(language: str) -> dict[str, str]:
    """A language's cities by the stems of their names: "Haapsal" and "Lahde" as the folded beginnings of their cases."""
    zones = Locale.parse(language).time_zones.values() if language in _LANGUAGES else ()
    known = {str(zone["city"]): () for zone in zones if zone.get("city")} | _towns(language)
    stems: dict[str, str] = {}
    for name, others in known.items():
        folded = flat(name)
        bare = _bare(folded, language)
        for stem in (folded, *others, bare if len(bare) >= _SHORTEST else folded):
            stems[flat(stem)] = name
    return stems


def _bare(name: str, language: str) -> str:
    """A name without the ending that cases replace: "Haapsalu" → "haapsal", "Šiauliai" → "siaul"."""
    return (re.sub(r"s$", "", name) if language in {"lv", "lt"} else name).rstrip("aeiouyаяйь")


_CAPITALS = r"([A-ZÀ-ÝĀ-ŽÕÄÖÜŠŽ][^\W\d_]{2,}(?:-[A-ZÀ-ÝĀ-Ž][^\W\d_]+)?)"
_HERE = re.compile(
    r"^[^\W\d_]{0,9}[\s,]*(?:\(?(?:kell|klo|plkst\.|val\.)?\s?\d{1,2}(?:[.:]\d{2})?(?:\s?[-–]\s?\d{1,2}(?:[.:]\d{2})?)?\)?[\s,]+)?"
    + _CAPITALS
    + r"(?=[\s,.]|$)"
)
_THERE = re.compile(r"\s" + _CAPITALS + r",?\s*(?:\(?[^\W\d_]{5,12}\)?,?\s*)?$")


def located(behind: str, before: str, language: str | None) -> str | None:
    """The name of a place that no list knows, by the case in which it stands next to a date: "Nursipalus" → "Nursipalu"."""
    endings = _data()["locative"].get(language) or {}
    for match in (_HERE.match(behind), _THERE.search(before)) if endings else ():
        word = match.group(1) if match else ""
        for ending, nominative in endings.items():
            if word.endswith(ending) and len(word) > len(ending) + _SHORTEST:
                return f"{word.removesuffix(ending)}{nominative or ''}"
    return None


def _city_begin(before: str) -> int:
    """Where the city begins that ends `before`: the longest known name, else one word with its article."""
    words = list(re.finditer(r"\S+", before))
    for count in (3, 2, 1):
        if len(words) >= count and flat(before[words[-count].start() :]) in _cities():
            begin = words[-count].start()
            article = words[-count - 1] if len(words) > count else None
            return article.start() if article and article.group() == "The" else begin
    begin = words[-1].start() if words else 0
    for word in reversed(words[:-1]):
        if flat(word.group()) not in _ARTICLES:
            break
        begin = word.start()
    return begin
