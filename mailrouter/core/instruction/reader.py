"""An author's own words → what they order, as printed.

Invariant: firm orders count, permissions count beside them, all else orders nothing; a contradiction is said with its
sentence, never solved.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest

from mailrouter.core.instruction.corrections import (
    amendment,
    amends,
    behind,
    correction,
    date_behind,
    refuses,
    replaces_date,
)
from mailrouter.core.instruction.heard import WEAKEST, Due, Heard, orders_of
from mailrouter.core.instruction.lexicon import Lexicon, Tag, lexicons, speaking
from mailrouter.core.instruction.moods import Clauses, Head, Mood
from mailrouter.core.instruction.nouns import Nouns
from mailrouter.core.instruction.orders import Orders, Purpose
from mailrouter.core.instruction.periods import date_from, deadline_at
from mailrouter.core.instruction.restrictions import read_restriction
from mailrouter.core.instruction.words import Sentence, folded_words, paragraphs, sentences
from mailrouter.core.language import fold

_NAMING = ("noun", "direct")  # purposes that may say whose they are
_SUBJECT_PREFIX = re.compile(r"^\s*(?:\[[^\]]{1,30}\]\s*)*([^\W\d_]{1,5}(?:\[\d+\])?)\s?[:：]\s*")
_INNER_PREFIX = re.compile(r"(?<=\S)\s+(?:FW|FWD|Fw|Fwd|RE|Re|VS|Vs|AW|WG)\s?:\s")


def read_orders(text: str, subject: str, language: str | None = None) -> Orders | None:
    """What the author of `text` orders there or in the subject; None where nothing is ordered.

    `text` is the author's own words, quoted mail already removed; a signature or disclaimer may follow them. `subject`
    may have prefixes; after a reply's prefix it repeats what was said before and is not read. `language` (ISO 639-1)
    is the text's: its words are understood first, those of the other languages as well.
    """
    heard = Heard()
    frame = _frame()
    for written, strict in ((text, False), (_title(subject), True)):
        said = paragraphs(written, closings=frame.closings, notices=frame.notices, joiners=frame.joiners)
        for paragraph in said:
            if speaking(folded_words(paragraph, frame.asides)):
                for sentence in sentences(paragraph, frame.abbreviations, frame.asides):
                    _listen(sentence, language, heard, strict=strict)
    return orders_of(heard)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What parts a text into sentences, in all languages: phrases and words of the lexicons' line kinds."""

    closings: re.Pattern[str]
    notices: re.Pattern[str]
    joiners: frozenset[str]
    abbreviations: frozenset[str]
    asides: frozenset[str]


@cache
def _frame() -> _Frame:
    return _Frame(
        closings=re.compile(rf"(?:{_either('closings')})\b"),
        notices=re.compile(rf"(?:{_either('notices')})\b"),
        joiners=frozenset(_all("joiners")),
        abbreviations=frozenset(_all("abbreviations")),
        asides=frozenset(_all("asides")),
    )


def _all(kind: str) -> list[str]:
    return [phrase for lexicon in lexicons() for phrase in lexicon.plain(kind)]


def _either(kind: str) -> str:
    """A pattern of any phrase of a kind, the longest first."""
    return "|".join(re.escape(phrase) for phrase in sorted(_all(kind), key=len, reverse=True))


@cache
def _reply_prefixes() -> frozenset[str]:
    return frozenset(_all("reply_prefixes"))


def _title(subject: str) -> str:
    """The subject without prefixes; "" after a reply's."""
    while match := _SUBJECT_PREFIX.match(subject):
        word = fold(match[1].split("[")[0])
        if word in _reply_prefixes():
            return ""
        if word in {"fyi", "ak"}:
            break
        subject = subject[match.end() :]
    # What stands behind a later prefix is the subject of another mail: "registreerida FW: …".
    return _INNER_PREFIX.split(subject, maxsplit=1)[0]


def _listen(sentence: Sentence, language: str | None, heard: Heard, *, strict: bool) -> None:
    """Collect what one sentence says. `strict`: a subject, where only what is expressly asked counts."""
    taken: set[int] = set()  # words that the language which explains most of the sentence has read as a form
    for lexicon, tags in _spoken(sentence, language):
        clauses = Clauses(sentence, lexicon, tags)
        heads = [head for head in clauses.heads() if taken.isdisjoint(range(head.tag.first, head.tag.last))]
        taken = taken or {at for head in heads for at in range(head.tag.first, head.tag.last)}
        heads = [head for head in heads if not (strict and not _express(head, clauses))]
        restriction = None if strict else read_restriction(clauses, lexicon)
        until = restriction.until if restriction else None
        found = _deadline_found(clauses, until)
        if until and found and sentence.printed(found[0], found[1]) in until:
            found = None
        found = found or clauses.date_to_answer()
        nouns = Nouns(clauses, ((found[0], found[1]),) if found else ())
        heads = [_with_next(head, after, nouns) for head, after in zip_longest(heads, heads[1:]) if head]
        said = [_hear(head, clauses, nouns, heard) for head in heads]
        if amends(clauses) and not any(said) and heard.anything and not strict:
            _hear_amendment(clauses, nouns, heard)
            continue
        _hear_deadline(
            clauses,
            found,
            heard,
            ordered=any(said),
            registered=all(head.what == "register" for head, order in zip(heads, said, strict=True) if order),
            told=_of_report(found, heads),
            alone=not strict and all(head.tag.form == "told" or head.what == "send" for head in heads),
        )
        if restriction is not None:
            heard.restrictions.append((restriction, sentence.printed(0, len(sentence.words))))


def _hear_amendment(clauses: Clauses, nouns: Nouns, heard: Heard) -> None:
    """Let a correction without a form of its own take the place of the one thing it can mean; else a doubt."""
    words = clauses.sentence.words
    whole = clauses.sentence.printed(0, len(words))
    dates = [(at, end) for at in range(len(words)) if (end := date_from(words, at))]
    head = amendment(clauses)
    people = nouns.responsible(head)
    if dates and heard.deadlines and not people:
        at, end = dates[-1]
        heard.deadlines[:] = [Due(clauses.sentence.printed(at, end), whole, ordered=True)]
    elif people and not dates and heard.responsible and not heard.forward:
        heard.responsible[:] = [(Mood.ORDERED, whole, people)]
    else:
        heard.doubts.append(f"a correction of something said before: “{whole}”")


def _of_report(found: tuple[int, int, str] | None, heads: list[Head]) -> bool:
    """Whether a deadline stands behind what somebody does or did: "FYI, she will answer it by Friday"."""
    before = [head for head in heads if found and head.tag.first < found[0]]
    return bool(before) and before[-1].tag.form == "told"


def _deadline_found(clauses: Clauses, other: str | None) -> tuple[int, int, str] | None:
    """As `deadline_at`; behind a correction if there is one with a date behind it."""
    words, lexicon = clauses.sentence.words, clauses.lexicon
    since = date_behind(clauses)
    later = deadline_at(words, clauses.tags, lexicon, other=other, since=since) if since else None
    return later or deadline_at(words, clauses.tags, lexicon, other=other)


def _spoken(sentence: Sentence, language: str | None) -> list[tuple[Lexicon, list[Tag]]]:
    """The languages that have something to say in a sentence, with their tags; the one that explains most first.

    Words of one language look like another's ("Anna", "responsible"): a language that explains less than half of what
    the best one explains is not spoken here. Of equals the text's own `language` is first.
    """
    folded = [word.folded for word in sentence.words]
    speaks = speaking(folded)
    if not speaks:
        return []
    ordered = sorted(lexicons(), key=lambda lexicon: lexicon.language != language)
    found = [(lexicon, lexicon.tags(folded)) for lexicon in ordered if lexicon.language in speaks]
    if len(found) < 2:
        return found
    explained = [len({at for tag in tags for at in range(tag.first, tag.last)}) for _, tags in found]
    most = max(explained)
    ranked = sorted(zip(explained, found, strict=True), key=lambda said: -said[0])
    return [said for words, said in ranked if 2 * words >= most]


def _with_next(head: Head, after: Head | None, nouns: Nouns) -> Head:
    """A forward order without recipients takes those behind its purpose ("suunata vastuse koostamiseks Marile")."""
    if head.what not in ("forward", "send") or after is None or after.tag.form != "noun" or nouns.recipients(head)[0]:
        return head
    return replace(head, last=after.last)


def _express(head: Head, clauses: Clauses) -> bool:
    """Whether a subject says it expressly: with "please", as a purpose ("registreerimiseks"), or as its first word."""
    if head.asked or head.tag.form in ("noun", "order") or head.mood is Mood.NEGATED:
        return True
    return head.tag.form == "wish" and head.what in ("register", "forward") and clauses.begins_clause(head.tag)


def _hear(head: Head, clauses: Clauses, nouns: Nouns, heard: Heard) -> bool:
    """Note what one head says; whether it is an order."""
    words = clauses.sentence.printed(head.first, head.last).strip(" ,;()–-")
    if head.mood in (Mood.OPEN, Mood.TOLD):
        return False
    if head.what == "register" and _elsewhere(head, clauses):
        return False
    if head.what == "register" and head.mood is Mood.NEGATED and _of_part(head, clauses):
        return False
    if head.mood is Mood.CONDITIONAL:
        named = (
            head.what not in ("send", "forward", "responsible") or nouns.recipients(head)[0] or nouns.responsible(head)
        )
        if named and head.what != "purposes":
            heard.doubts.append(f"a condition that cannot be judged: “{words}”")
        return False
    if doubt := _doubt(head, clauses, heard):
        heard.doubts.append(f"{doubt}: “{words}”")
    match head.what:
        case "register":
            heard.register.append((head.mood, words))
            said = True
        case "responsible" | "assign":
            said = _hear_responsible(head, clauses, nouns, heard, words)
        case "purposes":
            said = _hear_purpose(head, clauses, nouns, heard, words)
        case _:
            said = _hear_forward(head, clauses, nouns, heard, words)
    heard.firm = heard.firm or (
        said and head.mood is Mood.ORDERED and head.what in ("register", "forward", "send", "assign", "responsible")
    )
    return said and head.mood in (Mood.ORDERED, Mood.PERMITTED)


def _elsewhere(head: Head, clauses: Clauses) -> bool:
    """Whether "register" is about people and events, not about a document."""
    words = clauses.folded[head.first : head.last]
    tags = clauses.lexicon.tags(words)
    kinds = {tag.kind for tag in tags}
    return "register.themselves" in kinds or ("register.elsewhere" in kinds and "register.objects" not in kinds)


def _doubt(head: Head, clauses: Clauses, heard: Heard) -> str:
    """Why a person must be asked about an order that is firm by its form; "" where nothing speaks against it."""
    if head.mood is not Mood.ORDERED:
        return ""
    if _either_way(head, clauses, heard):
        return "one of two things is ordered"
    return "ordered and taken back" if refuses(head, clauses) else ""


def _either_way(head: Head, clauses: Clauses, heard: Heard) -> bool:
    """Whether "or" joins the order to one of another kind: "registreerida või suunata"."""
    if head.what not in ("register", "forward", "send") or not clauses.lexicon.is_kind(
        "clauses.or", clauses.folded[head.first]
    ):
        return False
    return bool(heard.forward if head.what == "register" else heard.register)


def _of_part(head: Head, clauses: Clauses) -> bool:
    """Whether something beside the letter is meant: "kaaskirja eraldi registreerida ei tule"."""
    return any(tag.kind == "register.part" and head.first <= tag.first < head.last for tag in clauses.tags)


def _hear_forward(head: Head, clauses: Clauses, nouns: Nouns, heard: Heard, words: str) -> bool:
    named, out = nouns.recipients(head)
    if (cue := correction(head, clauses)) and named and head.mood is Mood.ORDERED:
        named = _corrected(head, cue, nouns, heard, named, words)
    if not named and head.mood is Mood.ORDERED and not nouns.other_thing(head) and nouns.pronoun(head):
        heard.doubts.append(f"whom it is for is not said by name: “{words}”")
    if head.what == "send" and (not named or nouns.other_thing(head)):
        return False
    if len(named) > 1 and nouns.alternative(head):
        heard.doubts.append(f"it is left open to whom: “{words}”")
    if any(cue.kind == "cues.except" and head.first <= cue.first < head.last for cue in clauses.cues):
        heard.doubts.append(f"an exception is made: “{words}”")
    heard.forward.append((head.mood, words, named, out))
    return True


def _corrected(head: Head, cue: Tag, nouns: Nouns, heard: Heard, named: tuple[str, ...], words: str) -> tuple[str, ...]:
    """The recipients that a correction leaves; a doubt where it may replace one of several or all."""
    later = nouns.recipients(behind(head, cue))[0] or named
    earlier = [name for name in named if name not in later]
    earlier += [name for mood, _, names, _ in heard.forward if mood is Mood.ORDERED for name in names]
    if len(dict.fromkeys(earlier)) > 1:
        heard.doubts.append(f"a correction of one of several: “{words}”")
    heard.forward[:] = [entry for entry in heard.forward if entry[0] is not Mood.ORDERED]
    return later


def _hear_responsible(head: Head, clauses: Clauses, nouns: Nouns, heard: Heard, words: str) -> bool:
    named = nouns.recipients(head)[0] if head.what == "assign" else nouns.responsible(head)
    kinds = {tag.kind for tag in clauses.tags if head.first <= tag.first < head.last}
    mood = head.mood
    if "responsible.unless" in kinds and not ("responsible.still" in kinds and clauses.asked):
        if not kinds & {"responsible.this", "responsible.still"} or mood is not Mood.ORDERED:
            return False
        mood = mood if clauses.asked else Mood.PERMITTED  # "kirja eest vastutab Jaan" counts beside an order
    if not named:
        if mood is Mood.ORDERED and head.what == "responsible" and nouns.pronoun(head):
            heard.unnamed.append(words)
        return False
    if (cue := correction(head, clauses)) and mood is Mood.ORDERED:
        named = nouns.responsible(behind(head, cue)) or named
        heard.responsible[:] = [entry for entry in heard.responsible if entry[0] is Mood.NEGATED]
    heard.responsible.append((mood, words, named))
    return mood is Mood.ORDERED


def _hear_purpose(head: Head, clauses: Clauses, nouns: Nouns, heard: Heard, words: str) -> bool:
    purpose: Purpose = head.tag.kind.split(".")[1]  # type: ignore[assignment]  # the file's keys are the purposes; a test keeps them so
    if head.mood is not Mood.ORDERED:
        return False
    told = any(tag.form == "told" and tag.action in ("send", "forward") for tag in clauses.tags)
    if told and head.tag.form == "noun" and nouns.recipients(head)[0]:
        return False  # "Suunan lahendamiseks Jaanile": the author has done so
    heard.purposes.append((purpose, words, head.tag.form not in _NAMING and purpose != WEAKEST))
    if head.tag.form not in _NAMING or told:
        return True
    # Behind "vastamiseks" stands to whom the answer goes, not to whom the letter does.
    named, out = nouns.recipients(replace(head, last=head.tag.first) if purpose == "reply" else head)
    if named:
        heard.forward.append((head.mood, words, named, out))
        heard.firm = True
    return True


def _hear_deadline(
    clauses: Clauses,
    found: tuple[int, int, str] | None,
    heard: Heard,
    *,
    ordered: bool,
    registered: bool,
    told: bool,
    alone: bool,
) -> None:
    """Note a deadline that an order has, or that is labelled as one; not one that somebody else waits for."""
    if found is None or (clauses.sentence.asks_back and not ordered) or (told and found[2] not in ("labels", "due")):
        return
    first, last, label = found
    begin = first
    while begin > 0 and clauses.folded[begin - 1] not in ",;()":
        begin -= 1
    if last - first == 1 and clauses.describes(begin, first):
        return
    reported = [cue for cue in clauses.cues if begin <= cue.first < first and not clauses.within_form(cue)]
    if reported and reported[-1].kind in ("cues.told", "cues.negate", "cues.open"):
        return
    if ordered or (label in ("labels", "due") and alone):
        if replaces_date(clauses, first):
            heard.deadlines.clear()
        raw, words = clauses.sentence.printed(first, last), clauses.sentence.printed(begin, last)
        if any(tag.kind == "periods.offset" and tag.first < first <= tag.last + 1 for tag in clauses.tags):
            heard.doubts.append(f"the deadline is counted from another day: “{words}”")
        weak = (not ordered and label == "due") or (registered and ordered and label != "labels")
        heard.deadlines.append(Due(raw, words, ordered=ordered, weak=weak, alone=label != "due"))
