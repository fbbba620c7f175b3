"""Where a title ends and a place begins, for timetables whose columns were lost.

Invariant: cities and countries come from Babel's CLDR; a place is returned as printed.
"""

import re
from functools import cache

from babel import Locale
from babel.core import get_global

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.phrases import phrases

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
# Cities that letters to Estonia name and that no time zone is called by.
_MORE = frozenset(
    {
        "Tartu",
        "Narva",
        "Pärnu",
        "Haag",
        "Strasbourg",
        "Turku",
        "Tampere",
        "Kaunas",
        "Daugavpils",
        "Tallinn",
        "Таллинн",
        "Тарту",
        "Нарва",
    }
)
_GRADED = {"helsingi": "Helsinki"}  # Finnish declension that changes the stem
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
def _cities() -> frozenset[str]:
    """Folded names of cities that are known for their time zone, capitals nearly all."""
    zones = (zone.get("city", "") for code in _LANGUAGES for zone in Locale.parse(code).time_zones.values())
    more = "the hague|hague|haag|geneva|genf|geneve|strasbourg|strasburg|frankfurt|new york|bonn|lyon|milan|barcelona|valletta|nicosia|tartu|parnu|narva|istanbul|tampere|turku|warsaw|krakow|gdansk|the haag|munich|washington|mombasa|islamabad|niamey"
    keys = {str(key).rpartition("/")[2].replace("_", " ") for key in get_global("zone_territories")}
    return frozenset({flat(city) for city in (*zones, *keys, *_MORE) if city} | set(more.split("|")))


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


def city_in(text: str, language: str | None) -> str | None:
    """The name of a known city that the words hold, case endings allowed for ("Tallinnas" → "Tallinn")."""
    for match in re.finditer(r"[^\W\d_]{3,}(?:\s[A-Z][^\W\d_]+)?", text):
        first = match.group().split()[0]
        name = _declined(first, language) if language != "en" else None
        if name:
            return name
        for word in (match.group(), first):
            if word[0].isupper() and flat(word) in _cities():
                return word
    return None


@cache
def _declined(word: str, language: str | None) -> str | None:
    """The city whose name a declined word begins with, in the letter's language."""
    if not word[0].isupper() or language not in _LANGUAGES:
        return None
    folded = flat(word)
    graded = next((name for stem, name in _GRADED.items() if language == "fi" and folded.startswith(stem)), None)
    if graded:
        return graded
    names = sorted({zone.get("city", "") for zone in Locale.parse(language).time_zones.values()} | _MORE, key=len)
    for name in reversed(names):
        stem = flat(name).rstrip("aeiouаяйь")
        if len(stem) >= 3 and folded.startswith(stem) and len(folded) - len(stem) <= 5 and len(name) > 3:
            return str(name)
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
