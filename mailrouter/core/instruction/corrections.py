"""What takes the place of something said before: "Mari Tamm, ei, pigem Jaan Kukk".

Invariant: only words of correction decide between two values (`cues.correct`, `cues.amend` in the languages' files);
a correction whose object cannot be told is a doubt, never a choice.
"""

from dataclasses import replace

from mailrouter.core.instruction.lexicon import Tag
from mailrouter.core.instruction.moods import Clauses, Head, Mood

_KINDS = ("cues.correct", "cues.amend")
_FRAGMENT = 12  # words of a sentence that amends the one before
_CLOSE = 3  # words between a correction and its "not"
_NEAR = 6  # words between a correction and its date


def correction(head: Head, clauses: Clauses) -> Tag | None:
    """The words of correction among those of a head; None if there are none, or if they add rather than replace."""
    cue = next(
        (cue for cue in reversed(clauses.cues) if cue.kind in _KINDS and head.first <= cue.first < head.last), None
    )
    if cue is None or any(other.kind == "cues.added" and cue.last <= other.first < head.last for other in clauses.cues):
        return None
    return cue


def behind(head: Head, cue: Tag) -> Head:
    """The head with what stands behind a correction alone."""
    if cue.last <= head.tag.first:
        return replace(head, first=cue.last)
    return replace(head, tag=Tag(head.tag.kind, max(head.tag.first, cue.first), cue.last), first=cue.first)


def amends(clauses: Clauses) -> bool:
    """Whether a sentence is but a correction of what was said before it ("Või pigem Jaan Kukk.")."""
    return len(clauses.folded) <= _FRAGMENT and any(cue.kind == "cues.amend" and cue.first <= 1 for cue in clauses.cues)


def amendment(clauses: Clauses) -> Head:
    """What such a sentence says, as a head: whoever stands behind the words of correction."""
    cue = next(cue for cue in clauses.cues if cue.kind == "cues.amend")
    return Head(Tag("responsible.direct", cue.first, cue.last), cue.first, len(clauses.folded), Mood.ORDERED)


def refuses(head: Head, clauses: Clauses) -> bool:
    """Whether a correction behind a form takes the order back ("please register, or rather do not")."""
    cue = correction(head, clauses)
    if head.what not in ("register", "purposes"):
        return False  # "not to Ahto, to Oskar": names are refused one by one
    return cue is not None and any(
        other.kind in ("cues.negate", "cues.negate_command") and 0 <= other.first - cue.last < _CLOSE
        for other in clauses.cues
        if cue.first >= head.tag.last
    )


def date_behind(clauses: Clauses) -> int:
    """Where a deadline is to be sought: behind the last correction that a date follows; 0 without one."""
    return max((cue.last for cue in clauses.cues if cue.kind in _KINDS), default=0)


def replaces_date(clauses: Clauses, first: int) -> bool:
    """Whether the deadline at word `first` takes the place of an earlier one."""
    return any(cue.kind in _KINDS and 0 <= first - cue.last <= _NEAR for cue in clauses.cues)
