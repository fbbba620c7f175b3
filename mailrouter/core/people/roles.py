"""A post as a letter prints it → the directory's role.

Invariant: words that change the post ("deputy", "adviser to") make it another one; two roles that fit equally are none.
"""

import re

from mailrouter.core.language import fold
from mailrouter.core.people.declension import forms, same_noun
from mailrouter.core.people.directory import Directory, Role

_WORDS = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_SMALL = frozenset(
    [
        "of",
        "the",
        "for",
        "and",
        "to",
        "a",
        "an",
        "de",
        "la",
        "le",
        "du",
        "des",
        "et",
        "der",
        "die",
        "das",
        "fur",
        "von",
        "ja",
        "mr",
        "mrs",
        "ms",
        "dr",
        "h",
        "e",
        "he",
        "his",
        "her",
        "excellency",
    ]
)
# May stand beside a post without changing it, folded.
_HARMLESS = frozenset(
    [
        "estonia",
        "eesti",
        "estonian",
        "republic",
        "vabariik",
        "vabariigi",
        "estonie",
        "estland",
        "viro",
        "dear",
        "honourable",
        "honorable",
        "lugupeetud",
        "austatud",
        "excellency",
        "hr",
        "pr",
        "harra",
        "proua",
        "herr",
        "frau",
        "monsieur",
        "madame",
        "minister",
    ]
)
# Make another post of it.
_OTHER_POST = [
    "deputy",
    "vice",
    "former",
    "adviser",
    "advisor",
    "assistant",
    "secretary",
    "office",
    "cabinet",
    "head",
    "ase",
    "endine",
    "abi",
    "noun",
    "buroo",
    "kabinet",
    "spokesperson",
    "delegate",
    "shadow",
    "vabinet",
    "kantsler",
    "sekretar",
]


def find_role(directory: Directory, printed: str) -> Role | None:
    """The role that a letter's addressee line means ("Minister of Interior, Estonia", "Mr Lauri LÄÄNEMETS").

    The line may have the post in any of its printed forms or in a case form, the holder's name, or both, and a country.
    None if no role fits, or several.
    """
    words = [word for word in _WORDS.findall(fold(printed)) if word not in _SMALL]
    if not words:
        return None
    ranked = [(rank, role) for role in directory.roles if (rank := _rank(role, words))]
    if not ranked:
        return None
    best = max(rank for rank, _ in ranked)
    roles = [role for rank, role in ranked if rank == best]
    return roles[0] if len(roles) == 1 else None


def _rank(role: Role, words: list[str]) -> int:
    """How well a role fits: the words of its longest printed form found, 1 for the holder's name alone, 0 for not."""
    best = 0
    holder = [word for word in _WORDS.findall(fold(role.holder)) if word]
    named = bool(holder) and all(any(word in forms(part) for word in words) for part in holder)
    for form in (*role.printed, role.name):
        wanted = [word for word in _WORDS.findall(fold(form)) if word not in _SMALL]
        if not wanted or not all(any(same_noun(part, word) for word in words) for part in wanted):
            continue
        others = [word for word in words if not any(same_noun(part, word) for part in wanted)]
        others = [word for word in others if not any(word in forms(part) for part in holder)]
        strange = [word for word in others if word not in _HARMLESS]
        if any(word.startswith(tuple(_OTHER_POST)) for word in others) or (
            len(wanted) == 1 and strange and len(wanted[0]) < 10
        ):
            continue
        best = max(best, 1 + len(wanted))
    if best == 0 and named and not any(word.startswith(tuple(_OTHER_POST)) for word in words):
        return 1
    return best
