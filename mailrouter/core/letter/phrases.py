"""The phrases that letters are read by, from data/letters.yaml and data/letters_asks.yaml, as compiled patterns.

Invariant: patterns match `flat` text, at whole words. The notation of the lists is explained at the head of the data.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.letters import AskKind
from mailrouter.core.letter.wording import Hint, Vocabulary, Wording, needs_of
from mailrouter.core.wordlists import load_words

KINDS: tuple[AskKind, ...] = ("nominate", "attend", "reply", "inform", "transmit")

_NUMBER = r"(?:\d{1,3}(?:\s?\([^)\d]{2,20}\))?|[^\W\d_]{2,16}(?:\s?\(\d{1,3}\))?)"
_GAP = r"(?:\W+\w+){0,8}?\W+"
_ANY_ENDING = re.compile(r"(?<![\\\])}])(?<=\w)\*")
_NEVER = re.compile(r"(?!)")


def compile_phrase(phrase: str) -> str:
    """The pattern of one phrase in the notation of the data files, to be searched in `flat` text."""
    pattern = flat(phrase.replace("N ", "\x01 ").replace("N-", "\x01-")).strip()
    pattern = _star(pattern).replace("~", r"\w{0,5}")
    pattern = re.sub(r"\s*\.\.\.\s*", "\x02", pattern)
    pattern = re.sub(r"\s+(?!\?)", r"\\s+", pattern).replace(" ?", r"\s?")
    return pattern.replace("\x02", _GAP).replace("\x01", _NUMBER)


def _star(pattern: str) -> str:
    r"""`*` after a letter becomes any ending; after a class, a group or \\w it stays the pattern's own."""
    pieces = []
    for at, character in enumerate(pattern):
        before = pattern[at - 1] if at else ""
        if character == "*" and before.isalpha() and pattern[at - 2 : at - 1] != "\\":
            pieces.append(r"\w*")
        else:
            pieces.append(character)
    return "".join(pieces)


def union(phrases: Iterable[str], vocabulary: Vocabulary) -> Wording:
    """One pattern for any of the phrases at whole words."""
    listed = _compiled(phrases)
    source = rf"(?<!\w){_factored(listed, _FACTOR_DEPTH)}(?!\w)" if listed else _NEVER.pattern
    return Wording(source, needs_of(listed, begins=True, ends=True), vocabulary)


def opening(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern for any of the phrases as whole words at the beginning of the text."""
    listed = _compiled(phrases)
    return re.compile(rf"^{_factored(listed, _FACTOR_DEPTH)}(?!\w)") if listed else _NEVER


def anywhere(phrases: Iterable[str], vocabulary: Vocabulary) -> Wording:
    """One pattern for any of the phrases, inside words as well."""
    listed = _compiled(phrases)
    return Wording(f"(?:{'|'.join(listed)})", needs_of(listed, begins=False, ends=False), vocabulary)


def _compiled(phrases: Iterable[str]) -> list[str]:
    """The patterns of phrases, each once, the longest first."""
    return sorted({compile_phrase(str(phrase)) for phrase in phrases}, key=len, reverse=True)


_FACTOR_DEPTH = 6


def _factored(patterns: Sequence[str], depth: int) -> str:
    """The alternatives with common beginnings taken out: the engine tries them one by one, thousands a letter.

    Among alternatives of one beginning the order stays; between different beginnings it does not matter.
    """
    groups: dict[str, list[str]] = {}
    for at, pattern in enumerate(patterns):
        literal = pattern[:1].isalpha() and pattern[1:2] not in {"?", "*", "+", "{"}
        groups.setdefault(pattern[0] if literal else f"\x00{at}", []).append(pattern)
    pieces = []
    for first, members in groups.items():
        if first.startswith("\x00") or len(members) == 1 or depth == 0:
            pieces += members
        else:
            pieces.append(first + _factored([member[1:] for member in members], depth - 1))
    return "(?:" + "|".join(pieces) + ")"


@dataclass(frozen=True, slots=True)
class AskPhrases:
    """What makes a sentence an ask in one language."""

    request: Wording
    kinds: dict[AskKind, Wording]
    direct: dict[AskKind, Wording]
    vehicle: Wording
    refused: Wording
    asking: Hint  # of a request, or of what is asked without one
    before_date: re.Pattern[str]
    after_date: re.Pattern[str]
    period: Wording
    translative: bool  # the month's ending -ks, -ni says "by"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Everything that is printed at fixed places of letters."""

    salutation: re.Pattern[str]
    closing: re.Pattern[str]
    closing_sentence: re.Pattern[str]  # one that may be long
    labels: dict[str, re.Pattern[str]]  # at the beginning of a line, with the colon or a wide gap after it
    any_label: re.Pattern[str]
    institution: Wording
    role: Wording
    not_name: Wording
    title: re.Pattern[str]  # at the beginning of a line
    rank: re.Pattern[str]
    marking: Wording
    signed: Wording
    annex_heading: re.Pattern[str]
    table: dict[str, Wording]
    open_place: re.Pattern[str]
    answer: Wording
    further: Wording
    protection: Wording
    covering: Wording
    whole_institution: Wording
    name_runs_on: re.Pattern[str]  # the end of a line that an institution's name runs on from
    name_goes_on: re.Pattern[str]  # the beginning of a line that only goes on with one
    remote: Wording
    office: Wording
    to_open: re.Pattern[str]
    document_kinds: Wording
    title_opening: re.Pattern[str]
    verbale: tuple[re.Pattern[str], ...]  # groups "author" and "addressee"
    verbale_words: Wording  # what stands between the two: a quick no for all other letters
    weak: dict[AskKind, Wording]  # what a request wants where no kind is named
    lasting: re.Pattern[str]  # at the end of what stands before "until"
    conditional: re.Pattern[str]  # at the beginning of a sentence
    pronoun_asks: Wording
    announce: Wording
    occasion: Wording  # anywhere in a word
    invitation: re.Pattern[str]  # at the beginning of a title


@cache
def phrases() -> Phrases:
    """The structural phrases of all languages together: a letter may mix them."""
    data = _load("letters.yaml")
    vocabulary = Vocabulary()
    table = {column: union(words, vocabulary) for column, words in data["table"].items() if column != "open"}
    open_words = "|".join(compile_phrase(str(word)) for word in data["table"]["open"])
    return Phrases(
        salutation=opening(_all(data["salutation"])),
        closing=opening(_all(data["closing"])),
        closing_sentence=opening(data["closing_sentence"]),
        labels={name: opening(words) for name, words in data["labels"].items()},
        any_label=opening(_all(data["labels"])),
        institution=union(data["institution"], vocabulary),
        role=union(data["role"], vocabulary),
        not_name=union(data["not_name"], vocabulary),
        title=_before_name(data["title"]),
        rank=_before_name(data["rank"]),
        marking=anywhere(data["marking"], vocabulary),
        signed=union(data["signed"], vocabulary),
        annex_heading=opening(data["annex_heading"]),
        table=table,
        weak={kind: union(data["weak_asks"][kind], vocabulary) for kind in KINDS},
        lasting=re.compile(rf"(?<!\w)(?:{'|'.join(_compiled(data['lasting']))})(?:\W+\w+)?\W*$"),
        conditional=opening(data["conditional"]),
        pronoun_asks=union(data["pronoun_asks"], vocabulary),
        announce=union(data["announce"], vocabulary),
        occasion=anywhere(data["occasion"], vocabulary),
        invitation=opening(data["invitation"]),
        name_runs_on=re.compile(rf"(?<!\w)(?:{'|'.join(_compiled(data['name_runs_on']))})$"),
        name_goes_on=opening(data["name_goes_on"]),
        remote=union(data["remote"], vocabulary),
        office=union(data["office"], vocabulary),
        document_kinds=union(data["document_kinds"], vocabulary),
        to_open=opening(data["to_open"]),
        title_opening=opening(data["title_opening"]),
        verbale=tuple(_verbale(phrase) for phrase in data["verbale"]),
        verbale_words=anywhere((_between_parties(phrase) for phrase in data["verbale"]), vocabulary),
        answer=union(data["answer"], vocabulary),
        further=union(data["further"], vocabulary),
        protection=union(data["protection"], vocabulary),
        covering=union(data["covering"], vocabulary),
        whole_institution=union(data["whole_institution"], vocabulary),
        open_place=re.compile(rf"^(?:{open_words})\.?$"),
    )


def _before_name(words: Iterable[str]) -> re.Pattern[str]:
    """Titles at the beginning of a line, with the white space behind them."""
    return re.compile("^(?:" + "|".join(_compiled(words)) + r")(?!\w)\.?\s*")


@lru_cache(maxsize=2048)
def labels_at(folded: str) -> dict[str, int]:
    """The kinds of labels that a line begins with, and where each ends. Most lines have none, and all are asked."""
    if not phrases().any_label.match(folded):
        return {}
    found = ((kind, label.match(folded)) for kind, label in phrases().labels.items())
    return {kind: match.end() for kind, match in found if match}


@cache
def ask_phrases(language: str | None) -> tuple[AskPhrases, ...]:
    """The asks of a language; of all languages where it is unknown or not listed."""
    listed = _load("letters_asks.yaml")
    codes = [language] if language in listed else list(listed)
    return tuple(_ask_phrases(code) for code in codes)


@cache
def _ask_phrases(code: str) -> AskPhrases:
    data = _load("letters_asks.yaml")[code]
    vocabulary = Vocabulary()
    request = union(data["request"], vocabulary)
    direct = {kind: union(data["direct"][kind], vocabulary) for kind in KINDS}
    return AskPhrases(
        request=request,
        kinds={kind: union(data[kind], vocabulary) for kind in KINDS},
        direct=direct,
        vehicle=union(data["vehicle"], vocabulary),
        refused=union(data["not"], vocabulary),
        asking=Hint([request, *direct.values()]),
        before_date=re.compile(
            r"(?<!\w)(?:" + "|".join(sorted(map(compile_phrase, data["deadline"]), key=len, reverse=True)) + r")\W*$"
        ),
        after_date=re.compile(r"^\W{0,3}(?:" + "|".join(map(compile_phrase, data["deadline_after"])) + r")(?!\w)")
        if data["deadline_after"]
        else _NEVER,
        period=union(data["period"], vocabulary),
        translative=bool(data.get("translative")),
    )


_NAME = r"[^.;:]{3,150}?"


def _verbale(phrase: str) -> re.Pattern[str]:
    """A note verbale's opening with the two institutions as groups."""
    pattern = compile_phrase(phrase.replace("(author)", "AUTHORNAME").replace("(addressee)", "ADDRESSEENAME"))
    pattern = pattern.replace("authorname", f"(?P<author>{_NAME})").replace("addresseename", f"(?P<addressee>{_NAME})")
    return re.compile(r"(?:^|(?<=[.\s]))" + pattern + r"(?!\w)")


def _between_parties(phrase: str) -> str:
    """The words between the two institutions."""
    return phrase.partition("(author)")[2].partition("(addressee)")[0].strip()


def _all(by_language: dict[str, list[str]]) -> list[str]:
    return [phrase for listed in by_language.values() for phrase in listed]


@cache
def _load(name: str) -> dict[str, Any]:
    """A data file of this package's core."""
    source = files("mailrouter.core") / "data" / name
    loaded: dict[str, Any] = load_words(source.read_text(encoding="utf-8"))
    return loaded
