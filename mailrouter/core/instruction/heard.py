"""What one text says, collected over its sentences, and the orders that it amounts to.

Invariant: firm orders count, permissions count beside them, all else orders nothing; a contradiction is said with its
sentence, never solved.
"""

from dataclasses import dataclass, field

from mailrouter.core.instruction.moods import Mood
from mailrouter.core.instruction.orders import Orders, Purpose, Restriction
from mailrouter.core.language import fold

# A purpose that asks for work outweighs one that informs; among others the first one read counts.
WEAKEST: Purpose = "information"


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline as printed, with the words around it."""

    raw: str
    words: str
    ordered: bool  # an order has it
    weak: bool = False  # another one counts more: it is but the day of registering, or said of something else
    alone: bool = True  # it may stand where nothing else is ordered


@dataclass(slots=True)
class Heard:
    """What one text says, collected over its sentences."""

    register: list[tuple[Mood, str]] = field(default_factory=list)
    forward: list[tuple[Mood, str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    responsible: list[tuple[Mood, str, tuple[str, ...]]] = field(default_factory=list)
    purposes: list[tuple[Purpose, str, bool]] = field(default_factory=list)  # whether a thing to be done ("vastata")
    deadlines: list[Due] = field(default_factory=list)
    restrictions: list[tuple[Restriction, str]] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)  # words that make "her" responsible
    doubts: list[str] = field(default_factory=list)
    firm: bool = False

    @property
    def anything(self) -> bool:
        """Whether something that can be corrected has been heard."""
        return bool(self.register or self.forward or self.responsible or self.purposes or self.deadlines)


def orders_of(heard: Heard) -> Orders | None:
    """The orders of all that was heard; None where that is nothing."""
    evidence: list[str] = []
    doubts = list(heard.doubts)
    register = _register(heard, evidence, doubts)
    responsible = _responsible(heard, evidence, doubts)
    forward = _forward(heard, evidence, doubts)
    purposes = [purpose for purpose, _, _ in heard.purposes]
    deadline = _deadline(heard, evidence, doubts, ordered=bool(register or responsible or forward or purposes))
    restriction = _restriction(heard, evidence, doubts)
    idle = not any(done for _, _, done in heard.purposes)
    if idle and not (register or responsible or forward or deadline or restriction or doubts):
        return None  # "Edastan teadmiseks": said of nothing that is ordered
    evidence += [words for _, words, _ in heard.purposes]
    purpose = next((name for name in purposes if name != WEAKEST), purposes[0] if purposes else None)
    if not (register or responsible or forward or purpose or deadline or restriction or doubts):
        return None
    return Orders(
        register=register,
        responsible_raw=responsible,
        forward_to_raw=forward,
        purpose=purpose,
        deadline_raw=deadline,
        restriction=restriction,
        unclear="; ".join(dict.fromkeys(doubts)) or None,
        evidence=_evidence(evidence),
    )


def _evidence(words: list[str]) -> tuple[str, ...]:
    """The words each once, without those that stand whole within others."""
    unique = [said for said in dict.fromkeys(words) if said]
    return tuple(said for said in unique if not any(said in other for other in unique if other != said))


def _counts(mood: Mood, heard: Heard) -> bool:
    return mood is Mood.ORDERED or (mood is Mood.PERMITTED and heard.firm)


def _register(heard: Heard, evidence: list[str], doubts: list[str]) -> bool:
    ordered = [words for mood, words in heard.register if _counts(mood, heard)]
    negated = [words for mood, words in heard.register if mood is Mood.NEGATED]
    if ordered and negated:
        doubts.append(f"registering is ordered and refused: “{ordered[0]}”, “{negated[0]}”")
    evidence += ordered
    return bool(ordered)


def _responsible(heard: Heard, evidence: list[str], doubts: list[str]) -> str | None:
    named: dict[str, str] = {}
    refused = {fold(name) for mood, _, names in heard.responsible if mood is Mood.NEGATED for name in names}
    for mood, words, names in heard.responsible:
        if _counts(mood, heard):
            evidence.append(words)
            for name in names:
                named.setdefault(name, words)
    if not named and heard.unnamed:
        doubts.append(f"who is responsible is not said by name: “{heard.unnamed[0]}”")
    if len(named) > 1:
        doubts.append(f"several are named as responsible ({', '.join(named)}): “{next(iter(named.values()))}”")
        return None
    if named and any(_same(name, other) for name in named for other in refused):
        doubts.append(f"the responsible is ordered and refused: “{next(iter(named.values()))}”")
    return next(iter(named), None)


def _forward(heard: Heard, evidence: list[str], doubts: list[str]) -> tuple[str, ...]:
    named: dict[str, None] = {}
    refused: list[tuple[str, tuple[str, ...]]] = []
    bare: list[str] = []
    for mood, words, names, out in heard.forward:
        if _counts(mood, heard):
            evidence.append(words)
            named.update(dict.fromkeys(names))
            if not names:
                bare.append(words)
            if out:
                refused.append((words, out))
        elif mood is Mood.NEGATED:
            refused.append((words, names))
    if bare and not named:
        doubts.append(f"to whom it is to be forwarded is not said: “{bare[0]}”")
    for words, names in refused:
        if named and (not names or any(_same(a, b) for a in named for b in names)):
            doubts.append(f"forwarding is ordered and refused: “{words}”")
    return tuple(named)


def _same(name: str, other: str) -> bool:
    """Whether two names as written may be one: the same beginning of each word."""
    mine, theirs = fold(name).split(), fold(other).split()
    return len(mine) == len(theirs) and all(
        a[: max(3, min(len(a), len(b)) - 3)] == b[: max(3, min(len(a), len(b)) - 3)]
        for a, b in zip(mine, theirs, strict=True)
    )


def _deadline(heard: Heard, evidence: list[str], doubts: list[str], *, ordered: bool) -> str | None:
    due = [each for each in heard.deadlines if not each.weak] or heard.deadlines  # "register today; reply by Friday"
    counted = [each for each in due if each.ordered or ordered or (len(due) == 1 and each.alone)]
    found = [(each.raw, each.words) for each in counted]
    different = list(dict.fromkeys(fold(raw) for raw, _ in found))
    if len(different) > 1:
        doubts.append(f"several deadlines are named: {', '.join('“' + raw + '”' for raw, _ in found)}")
    evidence += [words for _, words in found]
    return found[0][0] if found else None


def _restriction(heard: Heard, evidence: list[str], doubts: list[str]) -> Restriction | None:
    codes = {restriction.code for restriction, _ in heard.restrictions}
    if len(codes) > 1:
        doubts.append(f"both a restriction and public access are named: “{heard.restrictions[0][1]}”")
        return None
    if not heard.restrictions:
        return None
    evidence += [words for _, words in heard.restrictions]
    found = [restriction for restriction, _ in heard.restrictions]
    return Restriction(
        code=found[0].code,
        basis=next((r.basis for r in found if r.basis), None),
        until=next((r.until for r in found if r.until), None),
    )
