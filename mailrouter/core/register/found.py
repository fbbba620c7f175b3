"""Register numbers and other institutions' references found in running text.

Shapes seen in Estonian registers: 5-4/22-1, 14-13.1/67-1, 1.1-10.1/1071-8, 7.1-3/26/2336-1, 2.2.-1/25/21-7,
1-2/23-031, 11.1-1/25/644-3, JUR-3/163-1. A number without a suffix (14-4/773) looks like a fraction or a range, so it
counts only where a label introduces it ("nr", "viit", "Reg. number:") or brackets enclose it.
Invariant: linear in the text; what is printed as a date, phone number, section of a law, amount or address is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LONGEST = 400_000  # characters looked at
_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-") | {"\u00a0": " ", "\u202f": " "}
)
_ODD = re.compile(f"[{re.escape(''.join(map(chr, _DASHES)))}]")

# A series mark: a dotted number and at least one hyphenated part ("5-4", "1.1-10.1", "2.2.-1"), a dotted number alone
# ("1.1.1"), or capitals and a number ("JUR-3").
_SERIES = r"(?:\d{1,2}(?:\.\d{1,3}){0,3}\.?(?:-\d{1,3}(?:\.\d{1,3}){0,3}){1,3}|\d{1,2}(?:\.\d{1,3}){1,3}|[A-ZÕÄÖÜŠŽ]{2,5}-\d{1,3}(?:\.\d{1,3})?)"
_NUMBER = re.compile(
    rf"""
    (?<![\w/§+@=])(?<!\d[.,:-])(?<!\w[-.])              # not inside a longer number, word, path or phone
    (?P<series>{_SERIES})
    \ ?/\ ?(?P<parts>(?:(?:20)?\d{{2}}/)?\d{{1,6}})            # the year, the counter
    (?P<suffix>(?:-\d{{1,4}}){{0,2}})
    (?![\w/%]|[-.,:]\d)                                 # and whole
    """,
    re.VERBOSE,
)
_MAY_BE = re.compile(r"\d ?/ ?\d")  # what every number has in it
_ARES = re.compile(r"\bAres\s?\((\d{4})\)\s?(\d{5,9})", re.IGNORECASE)
_LABELLED = re.compile(
    r"\b(?:nr|no|n°|nº|№|viit\w*|ref\w*|reg\w*|numb\w+|viitenumb\w+|your|teie|meie|our)\b[.:\s)]{0,3}(?:nr|no|numb\w*|ref\w*)?[.:\s]{0,3}$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d$")
_PHONE_BEFORE = re.compile(r"(?<![\d./-])(?:\+\d{1,3} ?)?\(?\d{1,4}\)?[ -]$")


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number in a text. `owner` is whose number the words before it say it is: "ours" (Teie, your), "theirs" (Meie, our)."""

    number: str
    owner: str  # "ours" | "theirs" | ""
    start: int


def find_numbers(text: str) -> tuple[str, ...]:
    """The register numbers in a text, in their order, each once, hyphens normalised."""
    return tuple(dict.fromkeys(found.number for found in found_numbers(text)))


def found_numbers(text: str) -> tuple[FoundNumber, ...]:
    """The register numbers in a text with whose they are said to be."""
    return tuple(_numbers(_plain(text)))


def find_references(text: str) -> tuple[str, ...]:
    """References of other institutions: Ares numbers ("Ares(2021)7378458") and register numbers, in their order."""
    plain = _plain(text)
    ares = _ARES.finditer(plain) if "(" in plain else ()
    found = [(match.start(), f"Ares({match[1]}){match[2]}") for match in ares]
    found += [(number.start, number.number) for number in _numbers(plain)]
    return tuple(dict.fromkeys(reference for _, reference in sorted(found)))


def _plain(text: str) -> str:
    """The text with one kind of hyphen and space; its length is kept."""
    cut = text[:_LONGEST]
    return cut.translate(_DASHES) if _ODD.search(cut) else cut


def _numbers(text: str) -> Iterator[FoundNumber]:
    if "/" not in text or not _MAY_BE.search(text):  # most words, told at a glance
        return
    ended = 0  # the last match: what was said of it is not said of the next
    for match in _NUMBER.finditer(text):
        since, ended = ended, match.end()
        before = text[max(0, match.start() - 40) : match.start()]
        after = text[match.end() : match.end() + 16]
        labelled = _LABELLED.search(before) is not None
        if " " in match[0] and not labelled:
            continue
        if not labelled and (_unlikely(match) or _in_other_use(before, after)):
            continue
        if labelled and _datelike(match):
            continue
        series = match["series"]
        yield FoundNumber(
            f"{series}/{match['parts']}{match['suffix']}",
            _owner(text[max(since, match.start() - 80) : match.start()]),
            match.start(),
        )


def _unlikely(match: re.Match[str]) -> bool:
    """Whether an unlabelled number is likelier to be something else: a range, a fraction, a date, a case number."""
    if _datelike(match):
        return True
    enclosed = match.string[match.start() - 1 : match.start()] in {"(", "["} and match.string[match.end() :][:1] in {
        ")",
        "]",
    }
    parts = match["parts"]
    hyphenated = "-" in match["series"]
    if match["suffix"]:
        return False
    # Without a suffix: the year and a counter (7.1-3/26/2336) are telling, all else needs a label or brackets.
    return not ("/" in parts and hyphenated) and not (enclosed and hyphenated)


def _datelike(match: re.Match[str]) -> bool:
    """4-5/03/2024, 23-25/04-2024, 12.04/2024: days, months and a year."""
    last = re.split(r"[/-]", match["parts"] + match["suffix"])[-1]
    return bool(_YEAR.match(last)) and len(re.split(r"[/-]", match["parts"] + match["suffix"])) <= 2


def _in_other_use(before: str, after: str) -> bool:
    """Whether the words around say that it is a phone number, a time, a page, a section of a law or an amount."""
    words = _contexts()
    if _PHONE_BEFORE.search(before):
        return True
    ahead = re.search(r"([^\W\d_]+|§|[€$£+])[.:,]?\s{0,2}\(?$", before)
    if ahead and ahead[1].casefold() in words["before"]:
        return True
    behind = re.match(r"\s?([^\W\d_]+|[€$£°])", after)
    return bool(behind and behind[1].casefold() in words["after"])


def _owner(before: str) -> str:
    """Whose number it is: the last owner's word before it on its line, or on the line before if that ends in it."""
    lines = before.split("\n")[-2:]
    words = _contexts()
    for line in reversed(lines):
        for word in reversed(re.findall(r"[^\W\d_]+", line)):
            lowered = word.casefold()
            if lowered in words["ours"]:
                return "ours"
            if lowered in words["theirs"]:
                return "theirs"
            if lowered not in words["labels"]:
                return ""
    return ""


@cache
def _contexts() -> dict[str, frozenset[str]]:
    """The words of data/register-words.ini by their section."""
    table = files("mailrouter.core").joinpath("data/register-words.ini").read_text(encoding="utf-8")
    sections: dict[str, list[str]] = {}
    section = ""
    for line in table.splitlines():
        plain = line.partition("#")[0].strip()
        if plain.startswith("["):
            section = plain.strip("[]")
        elif plain:
            sections.setdefault(section, []).extend(plain.split())
    return {name: frozenset(words) for name, words in sections.items()}
