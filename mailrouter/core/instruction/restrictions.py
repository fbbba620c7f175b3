"""Access restrictions that an author orders: the code, its basis in law and its end.

Invariant: a mark counts only where nothing negates or questions it; the footer of a mail is no mark.
"""

import re

from mailrouter.core.instruction.lexicon import Lexicon, Tag
from mailrouter.core.instruction.moods import Clauses
from mailrouter.core.instruction.orders import Restriction
from mailrouter.core.instruction.periods import resolve_deadline

# A paragraph of a law as officials write it: "AvTS § 35 lg 1 p 9", "AvTS § 35 lõige 1 punkt 3".
_BASIS = re.compile(
    r"\b(?P<law>AvTS|Avaliku teabe seadus\w*|[A-ZÕÄÖÜ][A-Za-zõäöü]{1,8}S)\s*(?:§|par\.?|paragrahv\w*)\s*(?P<section>\d+[¹²³]?)"
    r"(?:\s*(?:lg|lõi[kg]e?|lõike)\.?\s*(?P<subsection>\d+[¹²³]?))?"
    r"(?:\s*(?:p|punkt\w*|pkt)\.?\s*(?P<point>\d+[¹²³]?))?",
    re.IGNORECASE,
)


def read_restriction(clauses: Clauses, lexicon: Lexicon) -> Restriction | None:
    """The restriction that a sentence orders; None if none. `until` is an ISO date, else the words after "kuni"."""
    marks = [tag for tag in clauses.tags if tag.action == "restriction" and tag.form in ("mark", "spoken", "public")]
    marks = [tag for tag in marks if tag.form != "mark" or clauses.sentence.words[tag.first].text.isupper()]
    based = any(tag.kind == "restriction.basis" for tag in clauses.tags)
    if not (marks or based):
        return None
    basis = _BASIS.search(clauses.sentence.printed(0, len(clauses.sentence.words)))
    restricted = [tag for tag in marks if tag.form != "public"]
    public = [tag for tag in marks if tag.form == "public" and _meant(clauses, tag)]
    if clauses.sentence.asks_back:
        return None
    if restricted and not all(_negated(clauses, tag) for tag in restricted):
        return Restriction("AK", _basis(basis), _until(clauses, lexicon))
    if basis and not marks and based:
        return Restriction("AK", _basis(basis), _until(clauses, lexicon)) if basis["section"] == "35" else None
    if public and not any(_negated(clauses, tag) for tag in public):
        return Restriction("Avalik")
    return None


def _meant(clauses: Clauses, tag: Tag) -> bool:
    """Whether "public" is said of the document: a word of access or order stands with it."""
    return any(other.kind == "restriction.public_with" for other in clauses.tags) and tag.last > 0


def _negated(clauses: Clauses, tag: Tag) -> bool:
    """Whether a negation, a permission left open or a question stands right before or after the mark."""
    kinds = ("cues.negate", "cues.open", "cues.question")
    return any(
        cue.kind in kinds and -4 <= cue.first - tag.last <= 2 and not _parted(clauses, cue, tag) for cue in clauses.cues
    )


def _parted(clauses: Clauses, cue: Tag, tag: Tag) -> bool:
    first, last = min(cue.last, tag.last), max(cue.first, tag.first)
    return any(clauses.folded[at] in ",;()" for at in range(first, last))


def _basis(match: re.Match[str] | None) -> str | None:
    """The basis in the register's spelling."""
    if match is None:
        return None
    law = "AvTS" if match["law"].casefold().startswith("ava") or match["law"].casefold() == "avts" else match["law"]
    parts = [f"{law} § {match['section']}"]
    if match["subsection"]:
        parts.append(f"lg {match['subsection']}")
    if match["point"]:
        parts.append(f"p {match['point']}")
    return " ".join(parts)


def _until(clauses: Clauses, lexicon: Lexicon) -> str | None:
    """The end after "kuni": an ISO date where a whole date is printed, else the words up to the clause's end."""
    for at, word in enumerate(clauses.folded):
        if not lexicon.is_kind("restriction.until", word):
            continue
        end = at + 1
        while end < len(clauses.folded) and clauses.folded[end] not in {",", ";", ")", "(", ":"}:
            if lexicon.is_kind("restriction.basis", clauses.folded[end]):
                break
            end += 1
        words = clauses.sentence.printed(at + 1, end).rstrip(" .")
        if words:
            day = resolve_deadline(words, None)
            return day.isoformat() if day else words
    return None
