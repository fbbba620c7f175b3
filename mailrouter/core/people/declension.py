"""Names in their cases: which forms a name can take, and which name a form comes from.

Owns Estonian declension as far as names need it, and looser rules for other languages. Invariant: everything here works
on folded words (no case, no diacritics), so that "Läänemetsale" and "LAANEMETSALE" are one form; `nominative` alone
keeps the spelling it is given.

Source of the patterns: Erelt, Erelt, Ross, "Eesti keele käsiraamat", M 47-M 98 (gradation, stem vowels, cases).
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from mailrouter.core.language import fold
from mailrouter.core.wordlists import load_words

_VOWELS = "aeiou"
_STEM_VOWELS = "aeiu"
# What follows the genitive: allative, ablative, adessive, comitative, translative, elative, illative, inessive,
# essive, abessive, terminative, and the partitive of stems that take -t or -d.
_CASES = ("", "le", "lt", "l", "ga", "ks", "st", "sse", "s", "na", "ta", "ni", "t", "d")
# Gradation: the end of the nominative → that of the genitive stem, before the stem vowel.
_WEAKER = (
    ("kk", "k"), ("pp", "p"), ("tt", "t"), ("sk", "s"), ("hk", "h"), ("ht", "h"), ("lg", "l"), ("rg", "r"),
    ("lg", "lj"), ("rg", "rj"), ("lb", "lv"), ("rb", "rv"), ("ld", "ll"), ("nd", "nn"), ("rd", "rr"), ("mb", "mm"),
    ("ud", "u"), ("id", "i"), ("aud", "au"), ("k", "g"), ("p", "b"), ("t", "d"), ("b", ""), ("d", ""), ("g", ""),
    ("s", ""), ("as", "da"),
)  # fmt: skip
# Nominative endings that fall away before a case ending, and case endings, of Finnish, Latvian, Lithuanian, Russian
# (transliterated), Ukrainian, Polish, English and German ('s, s).
_OWN_ENDS = ("as", "is", "us", "ys", "s", "a", "e", "o", "i", "ij", "ia", "ja")
_FOREIGN_CASES = frozenset(
    [
        "lle",
        "lla",
        "lta",
        "n",
        "in",
        "en",
        "an",
        "a",
        "ia",
        "ssa",
        "sta",
        "ksi",
        "i",
        "e",
        "u",
        "am",
        "ai",
        "m",
        "im",
        "ei",
        "us",
        "um",
        "iem",
        "ui",
        "iui",
        "o",
        "os",
        "io",
        "es",
        "as",
        "is",
        "ei",
        "ie",
        "ya",
        "ju",
        "oj",
        "ej",
        "om",
        "em",
        "ym",
        "im",
        "oi",
        "ille",
        "illa",
        "ilta",
        "ovi",
        "evi",
        "ogo",
        "omu",
        "owi",
        "ie",
        "y",
        "s",
        "t",
    ]
) | {""}
_CYRILLIC = str.maketrans(
    dict(zip("абвгдезиклмнопрстуфыэй", "abvgdeziklmnoprstufyei", strict=True))
    | {"ж": "z", "х": "h", "ц": "ts", "ч": "ts", "ш": "s", "щ": "sts", "ю": "ju", "я": "ja", "ь": "", "ъ": "", "ё": "e"}
)
# Common nouns that stand for posts and units: the end of an inflected form → that of the nominative.
_NOUN_ENDS = (
    ("konnale", "kond"), ("konda", "kond"), ("konnalt", "kond"), ("kondadele", "konnad"), ("usele", "us"),
    ("usse", "us"), ("ustele", "used"), ("ikele", "ikud"), ("ikutele", "ikud"), ("ikule", "ik"), ("atele", "ad"),
    ("idele", "id"), ("tritele", "trid"), ("trile", "ter"), ("sseni", ""), ("ajale", "aja"), ("oosse", "oo"), ("oole", "oo"),
    ("ialile", "ial"), ("lerile", "ler"), ("torile", "tor"), ("eleile", "elei"), ("juhile", "juht"), ("ametile", "amet"),
    ("liikmele", "liige"), ("liikmetele", "liikmed"), ("umile", "um"), ("gadele", "gad"), ("ajatele", "ajad"),
    ("dele", "d"), ("tele", "d"), ("lle", ""), ("le", ""),
)  # fmt: skip


@lru_cache(maxsize=16384)
def forms(name: str) -> frozenset[str]:
    """The folded forms that one word of a name can take in Estonian, the nominative among them.

    A hyphenated name is declined in its last part ("Mägi-Saarele").
    """
    folded = fold(name)
    head, hyphen, last = folded.rpartition("-")
    found = {folded}
    for genitive in _genitives(last):
        found |= {head + hyphen + genitive + case for case in _CASES}
    found |= {head + hyphen + partitive for partitive in _partitives(last)}
    return frozenset(found)


def _genitives(name: str) -> set[str]:
    """Plausible genitives of a folded nominative; the true one is among them for regular names."""
    found = {name}
    if not name or name[-1] in _VOWELS:
        if name.endswith("ne"):
            found.add(name[:-2] + "se")
        if name.endswith("ke"):  # Küllike: Küllikese
            found.add(name + "se")
        if name.endswith(("gi", "si", "di")):  # Mägi: Mäe
            found.add(name[:-2] + "e")
        return found
    found |= {name + vowel for vowel in _STEM_VOWELS}
    if name.endswith("nen"):  # Finnish: Virtanen, Virtasen
        found |= {name[:-3] + "se", name[:-3] + "sel"}
    for strong, weak in _WEAKER:
        if name.endswith(strong) and len(name) - len(strong) >= 1:
            stem = name[: -len(strong)] + weak
            found |= {stem + vowel for vowel in _STEM_VOWELS}
            found.add(stem)
    if len(name) > 3 and name[-2] in "eau" and name[-3] not in _VOWELS:  # Peeter: Peetri, Teder: Tedre
        stem = name[:-2] + name[-1]
        found |= {stem + vowel for vowel in _STEM_VOWELS}
        if name[-3] == name[-4]:  # Koppel: Kopli
            stem = name[:-3] + name[-1]
            found |= {stem + vowel for vowel in _STEM_VOWELS}
    return found


def _partitives(name: str) -> Iterator[str]:
    """Partitives that are not the genitive with -t or -d."""
    if name.endswith("ne"):
        yield name[:-2] + "st"  # Rebane: Rebast
    elif name and name[-1] in _VOWELS:
        yield name + "t"
        yield name + "d"
        yield name[:-1] + "e"  # Mägi: Mäge
        yield name[:-1] + "a"
    else:
        yield name + "t"
        yield from (name + vowel for vowel in _STEM_VOWELS)


def loosely(name: str, written: str) -> bool:
    """Whether a folded written word is a name in a case of another language (Finnish, Baltic, Slavic).

    The name's stem (without the ending of its own nominative) and a case ending: "Petrauskas", "Petrauskui".
    """
    stems = {name} | {
        name[: -len(ending)] for ending in _OWN_ENDS if name.endswith(ending) and len(name) - len(ending) >= 3
    }
    return any(written.startswith(stem) and written[len(stem) :] in _FOREIGN_CASES for stem in stems)


def latin(text: str) -> str:
    """Folded Cyrillic letters as Latin ones ("Будрик" → "budrik"); other text only folded."""
    folded = fold(text)
    return folded if folded.isascii() else folded.translate(_CYRILLIC)


def same_noun(entry: str, written: str) -> bool:
    """Whether two folded words are one common noun in different cases or numbers ("nõunikud", "nõunikele").

    All but the last two letters of the entry's word are shared; what the written word adds is an ending of up to five.
    """
    if entry == written:
        return True
    shared = 0
    for mine, theirs in zip(entry, written, strict=False):
        if mine != theirs:
            break
        shared += 1
    return shared >= max(3, len(entry) - 2) and len(written) - shared <= 5


@cache
def _known() -> dict[str, str]:
    """Every form of the usual names in data/names.et.yaml → the name; ambiguous forms are the first name's."""
    data = load_words(files("mailrouter.core").joinpath("data/names.et.yaml").read_text("utf-8"))
    names = [*data["given"].split(), *data["surnames"].split()]
    known = {fold(name): name for name in names}
    for name in names:
        for genitive in data["genitives"][name].split() if name in data["genitives"] else _likely_genitives(name):
            for case in _CASES:
                known.setdefault(fold(genitive) + case, name)
    for name in names:
        for partitive in _partitives(fold(name)):
            known.setdefault(partitive, name)
    return known


def _likely_genitives(name: str) -> tuple[str, ...]:
    """The genitives of a usual name that the data does not list: itself after a vowel, else with each stem vowel."""
    if fold(name)[-1] in _VOWELS:
        return (name,)
    return tuple(name + vowel for vowel in "ieua")


def usual(word: str) -> bool:
    """Whether a word is a usual Estonian name in some form."""
    return fold(word) in _known()


def nominative(written: str) -> str:
    """A name or noun as written in some case → its nominative, as well as that can be told without a directory.

    Only the last word is declined in an Estonian name ("Mari Tammele" → "Mari Tamm"); what shows no case stays.
    """
    words = written.removesuffix("'s").removesuffix("’s").split()
    if not words:
        return written
    head, last = words[:-1], words[-1]
    if not last[0].isupper():
        return " ".join([*head, _noun(last)])
    before, hyphen, part = last.rpartition("-")
    return " ".join([*head, before + hyphen + _name(part, alone=not head)])


def _noun(word: str) -> str:
    """A common noun in the nominative, by its end."""
    folded = fold(word)
    for ending, nominal in _NOUN_ENDS:
        if folded.endswith(ending) and len(folded) > len(ending) + 1:
            return word[: len(word) - len(ending)] + nominal
    return word


def _name(word: str, *, alone: bool) -> str:
    """One word of a name in the nominative; `alone`: it may be a given name."""
    known = _known().get(fold(word))
    if known:
        return known
    stem = word
    for ending in ("lle", "le", "lta", "lt", "ga"):
        if fold(word).endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: len(word) - len(ending)]
            break
    else:
        if fold(word).endswith(("ut", "it", "at")) and len(word) > 5 and not alone:
            stem = word[:-1]
        else:
            return word
    if stem != word and (known := _known().get(fold(stem))):
        return known
    return _unstemmed(stem)


def _unstemmed(genitive: str) -> str:
    """A genitive without its stem vowel, where the word's shape shows that there is one."""
    folded = fold(genitive)
    if len(folded) < 5 or folded[-1] not in _STEM_VOWELS or folded[-2] in _VOWELS:
        return genitive
    if folded.endswith("ase"):
        return genitive[:-2] + "ne"
    if folded.endswith("se"):
        return genitive[:-1]
    clusters = sum(
        1 for at, letter in enumerate(folded) if letter in _VOWELS and (at == 0 or folded[at - 1] not in _VOWELS)
    )
    heavy = folded[-3] not in _VOWELS or (folded[-3] in _VOWELS and folded[-4] in _VOWELS)
    if (clusters >= 3 and folded[-1] in "iu") or (heavy and (clusters == 2 or folded[-1] in "iue")):
        return genitive[:-1]
    return genitive
