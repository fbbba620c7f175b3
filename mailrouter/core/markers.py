"""What mail programs print around forwarded mail, by language: data only, read from data/markers*.ini.

Invariant: the words raise confidence and settle roles; no reader may depend on a language being here. `load(without)`
leaves languages out, so that the reading by structure alone can be measured.
"""

import configparser
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import re2

ROLES = ("from", "date", "to", "cc", "bcc", "subject", "reply_to")
_HOLE = re.compile(r"\{\w+\}")
_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u00ad]")


@dataclass(frozen=True, slots=True)
class Label:
    """What a header label means: its role, the languages that print it so, and whether a source is known."""

    role: str  # one of ROLES, "other" (a header line that says nothing about the chain) or "form" (no mail header)
    languages: frozenset[str]
    sourced: bool


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """All the words the reader knows. Keys and members are folded: see `fold`. Two are equal if they are the same one."""

    labels: Mapping[str, Label]
    separators: frozenset[str]  # "original message", "begin forwarded message" …
    ends: frozenset[str]  # "end of forwarded message" …
    said: frozenset[str]  # the words of attribution lines: "on", "wrote", "at" …
    verbs: Mapping[str, frozenset[str]]  # the last or only words of attribution lines, "wrote", "a écrit" … → languages
    prefixes: frozenset[str]  # subject prefixes without their colon
    greetings: tuple[str, ...]
    behalf: tuple[str, ...]
    banners: tuple[str, ...]
    shields: tuple[str, ...]  # stems of what banners warn of
    devices: tuple[str, ...]
    disclaimers: tuple[str, ...]
    closings: frozenset[str]
    warned: Any  # an RE2 pattern: any of `banners`
    printed: Any  # an RE2 pattern: any of `devices` or `disclaimers`


def fold(text: str) -> str:
    """A word as the tables have it: composed, caseless, single spaces, no invisible marks."""
    return _folded(text) if len(text) <= 80 else _fold(text)


def without_marks(text: str) -> str:
    """The text without marks that nobody sees: of direction, of zero width, soft hyphens."""
    return text if text.isascii() else _MARKS.sub("", text)


def _fold(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    composed = unicodedata.normalize("NFC", _MARKS.sub("", text).replace("\u0130", "I").casefold())
    return " ".join(composed.split())


_folded = lru_cache(maxsize=8192)(_fold)  # labels and names recur, in one mail and from mail to mail


@cache
def load(without: frozenset[str] = frozenset()) -> Vocabulary:
    """The vocabulary of all languages but those in `without` (ISO codes as in the data, "pt-br" apart from "pt")."""
    markers = _read("data/markers.ini")
    phrases = _read("data/markers-phrases.ini")
    sections = [name for name in markers.sections() if name not in without]

    def every(key: str) -> list[str]:
        return [value for name in sections for value in _values(markers.get(name, key, fallback=""))]

    def said(kind: str) -> list[str]:
        chosen = (text for language, text in phrases.items(kind) if language not in without)
        return [fold(value) for text in chosen for value in _values(text)]

    attributions = [value.rstrip("?") for value in every("attribution")]
    separators = every("original") + every("forwarded") + every("begin")
    return Vocabulary(
        labels=_labels(markers, sections, said("header_other"), said("form")),
        separators=frozenset(fold(_HOLE.sub(" ", value).rstrip("?:")).strip(" '") for value in separators),
        ends=frozenset(fold(value.rstrip("?.:")) for value in every("end")),
        said=frozenset(word for line in attributions for word in _said(line)) | frozenset(said("said")),
        verbs=_verbs(markers, sections),
        prefixes=frozenset(fold(value.rstrip("?").rstrip(":. ")) for value in _prefixes(every)),
        greetings=tuple(sorted(set(said("greeting")), key=len, reverse=True)),
        behalf=tuple(said("behalf")),
        banners=tuple(said("banner")),
        shields=tuple(said("shield")),
        devices=tuple(said("device")),
        disclaimers=tuple(said("disclaimer")),
        closings=frozenset(said("closing")),
        warned=_any(said("banner")),
        printed=_any(said("device") + said("disclaimer")),
    )


def _any(words: Iterable[str]) -> Any:
    """One pattern for many words: RE2 looks for all of them in one pass."""
    return re2.compile("|".join(re2.escape(word) for word in sorted(words)) or r"[^\s\S]")


def _read(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=True, comment_prefixes=(";",))
    parser.read_string(files("mailrouter.core").joinpath(name).read_text(encoding="utf-8"))
    return parser


def _values(text: str) -> list[str]:
    return [value.strip() for value in text.split(" | ") if value.strip()]


def _prefixes(every: Callable[[str], list[str]]) -> list[str]:
    return every("prefix_forward") + every("prefix_reply")


def _labels(
    markers: configparser.ConfigParser, sections: Iterable[str], other: Iterable[str], form: Iterable[str]
) -> dict[str, Label]:
    found: dict[str, tuple[str, set[str], bool]] = {}
    for name in sections:
        for role in ROLES:
            for value in _values(markers.get(name, role, fallback="")):
                label = fold(value.rstrip("?").rstrip(":"))
                sourced = not value.endswith("?")
                _, languages, before = found.setdefault(label, (role, set(), False))
                languages.add(name)
                found[label] = (found[label][0], languages, before or sourced)
    labels = {label: Label(role, frozenset(languages), sourced) for label, (role, languages, sourced) in found.items()}
    for role, words in (("other", other), ("form", form)):
        for word in words:
            labels.setdefault(word, Label(role, frozenset(), sourced=True))
    return labels


def _verbs(markers: configparser.ConfigParser, sections: Iterable[str]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in sections:
        for line in _values(markers.get(name, "attribution", fallback="")):
            verb = _verb(line.rstrip("?"))
            if len(verb) >= 4:
                found[verb] = found.get(verb, frozenset()) | {name}
    return found


def _said(line: str) -> list[str]:
    return [word for word in re.split(r"[\s,:;()]+", fold(_HOLE.sub(" ", line))) if word]


def _verb(line: str) -> str:
    """The words beside {from}, on the side that has no date: "wrote" of "On {date}, {from} wrote:"."""
    bare = line.rstrip(": ")
    after = re.search(r"\{from\}\s*([^{}]+)$", bare)
    before = re.search(r"([^{},]+)\{from\}$", bare)
    alone = re.search(r"\{from\}\s*([^{}]+?)\s*\{", bare)
    match = after or before or alone
    return fold(match[1]).strip(" ,'’") if match else ""


@cache
def languages() -> frozenset[str]:
    """The codes of all languages that the data has."""
    return frozenset(_read("data/markers.ini").sections())
