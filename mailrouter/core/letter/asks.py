"""What a letter asks, by when, and where the answer should go.

Invariant: each ask carries the sentence it was read from. One ask a kind, unless their dates differ; a sentence that
only says how or by when to answer gives its date to the asks before it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from mailrouter.core.letter.dates import PrintedDate, find_dates
from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.letters import Ask, AskKind
from mailrouter.core.letter.phrases import KINDS, AskPhrases, ask_phrases, phrases
from mailrouter.core.letter.wording import Wording

_CUE_REACH = 75  # characters before a date in which the words "by", "hiljemalt" may stand
_LASTING_REACH = 25  # characters before "until" in which a word may say that something lasts, or should last, so long
_LONGEST = 900
_QUESTION_WORDS = 3  # "How are you?" wants no answer of an office


@dataclass(frozen=True, slots=True)
class Deadline:
    """The day to do something by, and the words it was read from; `day` None for a period from receipt."""

    day: date | None
    raw: str


def read_asks(sentences: Sequence[str], language: str | None, after: date | None) -> tuple[Ask, ...]:
    """The asks of a letter's sentences in their order; `after` is the letter's date, for days without a year."""
    tables = ask_phrases(language)
    asks: list[Ask] = []
    for (before, _), (sentence, printed) in pairwise((("", ""), *_items_apart(sentences, tables))):
        folded = _asking_words(sentence, tables)
        wanting = _wanting(folded, tables)
        if not wanting and not (asks and _is_vehicle(sentence, tables)):
            continue  # most sentences neither ask nor say by when: their dates are not looked for
        when = deadline(sentence, tables, after, language)
        waiting = bool(when) and not all(ask.deadline_raw for ask in asks)  # for a date that a later sentence gives
        found = _meant_before(before, sentence, tables) if not asks else ()
        found = found or _sentence_asks(folded, wanting, has_asks=bool(asks), waiting=waiting, dated=bool(when))
        if asks and not when and _is_aside(found, sentence):
            continue
        if found:
            for kind in found:
                _add(
                    asks,
                    Ask(kind, printed[:_LONGEST], *_fields(when)),
                    retold=_asks_at_once(sentence, kind, tables),
                )
        elif when and asks and not _refused(flat(sentence), tables) and _is_vehicle(sentence, tables):
            asks = _dated_asks(asks, when, _spoken_of(flat(sentence), tables))
    return tuple(asks) or _questions(sentences, lambda sentence: deadline(sentence, tables, after, language))


_ITEM = re.compile(
    r"(?:(?<=:)|(?<=[;,])|(?<=\s(?:and|und))|(?<=\s(?:ja|et|un|ir))|(?<=\sto))\s+(?:\(?[a-z\d]{1,2}\)|\d\.|[-–•▪])\s+(?=\S)"
)
_ITEM_ALONE = re.compile(r"(?:\(?[a-z\d]{1,2}[.)]|[-–•▪])\s+(?=\S)")


def _items_apart(sentences: Sequence[str], tables: Sequence[AskPhrases]) -> Iterator[tuple[str, str]]:
    """(words to read, sentence as printed); a list of wants one by one: "we ask you to: (a) nominate …; (b) send …".

    Only where the words before the list ask and name no kind: what they name is what all items are about.
    """
    lead = ""
    for sentence in sentences:
        if lead and (mark := _ITEM_ALONE.match(sentence)):
            yield f"{lead} {sentence[mark.end() :]}", sentence
            continue
        first, *items = _ITEM.split(sentence)
        lead = first if items and _asks_openly(first, tables) else ""
        if lead:
            yield from ((f"{lead} {item}", sentence) for item in items)
        else:
            yield sentence, _without_list(sentence)


def _asks_openly(words: str, tables: Sequence[AskPhrases]) -> bool:
    """Whether words ask for something that they do not name."""
    folded = _asking_words(words, tables)
    wanting = _wanting(folded, tables)
    named = any(each.direct or _kinds_at(folded, each.table.kinds, 0) for each in wanting)
    return bool(wanting) and not named


def _is_aside(kinds: Sequence[AskKind], sentence: str) -> bool:
    """Whether a sentence asks only those whom its condition concerns; a deputy to name is an ask all the same."""
    return bool({"reply", "inform", "transmit"} & set(kinds)) and bool(phrases().conditional.match(flat(sentence)))


def _meant_before(before: str, sentence: str, tables: Sequence[AskPhrases]) -> tuple[AskKind, ...]:
    """The kind of "Palume see edastada …": of what the sentence before it names."""
    if not phrases().pronoun_asks.search(flat(sentence)):
        return ()
    named = [(span, kind) for table in tables for kind, span in _kinds_at(flat(before), table.kinds, 0).items()]
    return (min(named)[1],) if named else ()


_LIST = re.compile(r"(?<=:)\s+(?:[-–•▪]|\(?[a-z\d]{1,2}[.)])(?:\s.*)?$", re.IGNORECASE)


def _without_list(sentence: str) -> str:
    """The sentence that asks, without the items of a list that its colon announces."""
    return _LIST.sub("", sentence)


def _dated_asks(asks: Sequence[Ask], when: Deadline, kinds: frozenset[AskKind]) -> list[Ask]:
    """The asks with the date of a sentence that speaks of asks of these kinds; of all where it names none of them."""
    meant = {ask.kind for ask in asks if not ask.deadline_raw} & kinds
    return [_with_deadline(ask, when) if ask.kind in meant or not meant else ask for ask in asks]


def _spoken_of(folded: str, tables: Sequence[AskPhrases]) -> frozenset[AskKind]:
    """The kinds that a sentence names: "nominations should reach us by …"; a mere reply answers all."""
    words = _GENERIC_REPLY.sub(_blank, _ADDRESS.sub(_blank, folded))
    return frozenset(kind for table in tables for kind in _kinds_at(words, table.kinds, 0))


def _questions(sentences: Sequence[str], dated: Callable[[str], Deadline | None]) -> tuple[Ask, ...]:
    """The first question of a letter that asks in no other way: it wants an explanation."""
    asked = (sentence for sentence in sentences if sentence.endswith("?") and len(sentence.split()) > _QUESTION_WORDS)
    return tuple(Ask("reply", sentence, *_fields(dated(sentence))) for sentence in asked)[:1]


def _fields(when: Deadline | None) -> tuple[str | None, str | None]:
    if when is None:
        return None, None
    return (when.day.isoformat() if when.day else None), when.raw


def _with_deadline(ask: Ask, when: Deadline) -> Ask:
    """The ask with the date, unless it has one."""
    if ask.deadline or ask.deadline_raw:
        return ask
    day, raw = _fields(when)
    return replace(ask, deadline=day, deadline_raw=raw)


def _asks_at_once(sentence: str, kind: AskKind, tables: Sequence[AskPhrases]) -> bool:
    """Whether a sentence asks in full: its request stands before what it wants, as in "we expect your views by …"."""
    folded = flat(sentence)
    for table in tables:
        request, wanted = table.request.search(folded), table.kinds[kind].search(folded)
        if request and wanted:
            return request.start() < wanted.start()
    return False


def _add(asks: list[Ask], ask: Ask, *, retold: bool) -> None:
    """Adds an ask; one of a kind that is there only gets its date, unless both have one and they differ.

    `retold`: the sentence with the date asks in full, and is the ask from then on.
    """
    for at, other in enumerate(asks):
        if other.kind != ask.kind:
            continue
        if not ask.deadline_raw:
            return
        if not other.deadline_raw:
            text = ask.text if retold else other.text
            asks[at] = replace(other, text=text, deadline=ask.deadline, deadline_raw=ask.deadline_raw)
            return
        if other.deadline == ask.deadline:
            return
    asks.append(ask)


@dataclass(frozen=True, slots=True)
class _Wanting:
    """The words of a sentence that want something, in one language: a request, or what is an ask by itself."""

    table: AskPhrases
    request: re.Match[str] | None
    direct: "dict[AskKind, _Span]"


def _wanting(folded: str, tables: Sequence[AskPhrases]) -> list[_Wanting]:
    """The languages in which a sentence wants something; none for most sentences."""
    tables = [table for table in tables if table.asking.may_be_in(folded)]
    found = [_Wanting(table, table.request.search(folded), _kinds_at(folded, table.direct, 0)) for table in tables]
    return [words for words in found if words.request or words.direct]


def _sentence_asks(
    folded: str, wanting: Sequence[_Wanting], *, has_asks: bool, waiting: bool, dated: bool
) -> tuple[AskKind, ...]:
    """The kinds that a sentence asks, the first in its words first."""
    for words in wanting:
        table, request, direct = words.table, words.request, words.direct
        at = request.start() if request else 0
        kinds = _kinds_at(folded, table.kinds, at) if request else {}
        if request and not kinds:
            kinds = _kinds_at(folded, table.kinds, 0)
        chosen = _choose(kinds, direct, folded)
        if has_asks and chosen and chosen[0] in {"reply", "inform"} and _only_vehicle(folded, table, chosen[0]):
            return ()
        if chosen:
            return chosen
        if request and not waiting and (dated or not (has_asks and table.vehicle.search(folded))):
            return _weak(folded, request.start())
    return ()


def _asking_words(sentence: str, tables: Sequence[AskPhrases]) -> str:
    """The sentence, folded, with blanks for the words that ask nothing: addresses, thanks, courtesies."""
    folded = flat(sentence)
    if "@" in folded or "/" in folded or "www." in folded:
        folded = _ADDRESS.sub(_blank, folded)
    for table in tables:
        folded = table.refused.sub(_blank, folded)
    return folded


def _weak(folded: str, start: int) -> tuple[AskKind, ...]:
    """The kind of a request that names none: by its general verb, "share with us", "let us know"."""
    found = _kinds_at(folded, phrases().weak, start) or _kinds_at(folded, phrases().weak, 0)
    first = min(found, key=lambda kind: (kind != "nominate", found[kind]), default=None)
    return (first,) if first else ()


_ADDRESS = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+")  # "info@" asks for no information
_Span = tuple[int, int]


def _kinds_at(folded: str, patterns: dict[AskKind, Wording], start: int) -> dict[AskKind, _Span]:
    """Where each kind's words first stand from `start` on."""
    found = ((kind, patterns[kind].search(folded, start)) for kind in KINDS)
    return {kind: match.span() for kind, match in found if match}


_INVITED_TO = 30  # characters behind an invitation in which it may say what one is invited to do


def _choose(kinds: dict[AskKind, _Span], direct: dict[AskKind, _Span], folded: str) -> tuple[AskKind, ...]:
    """The kind whose words stand first, the longer if two do; "invite you to nominate" is no invitation."""
    merged = dict(kinds)
    for kind, span in direct.items():
        merged[kind] = min(span, merged.get(kind, span))
    if not merged:
        return ()
    first = min(merged, key=lambda kind: (merged[kind][0], -merged[kind][1]))
    if {"transmit", "nominate"} <= merged.keys() and merged["transmit"][0] == merged["nominate"][0]:
        return ("transmit", "nominate")  # "edastada üleskutse … ning esitada kandidaadid"
    if first == "transmit":
        names = merged.get("nominate")
        return ("transmit", "nominate") if names and names[0] > merged["transmit"][1] else ("transmit",)
    if first == "attend":
        return (_invited_to(merged, _INVITED_TO if "attend" in direct else 0),)
    if first == "reply" and "inform" in merged:
        beside = merged["reply"][0] < merged["inform"][0] <= merged["reply"][1] + 1  # "replies to the questionnaire"
        return ("inform",) if beside or _of_questionnaire(merged, folded) else ("reply",)
    named = first == "inform" and _names_people(merged, folded)  # "inform us of the names of your participants"
    return ("nominate",) if named else (first,)


def _invited_to(spans: dict[AskKind, _Span], reach: int) -> AskKind:
    """What an invitation is to: to take part, or what its words say within their `reach`."""
    begin, finish = spans["attend"]
    others: tuple[AskKind, ...] = ("nominate", "transmit")
    named = (kind for kind in others if kind in spans and begin <= spans[kind][0] <= finish + reach)
    return next(named, "attend")


_GENERIC_REPLY = re.compile(
    r"(?<!\w)(?:repl(?:y|ies)|responses?|answers?|vastus\w*|vasta\w*|reponses?|repondre|antwort\w*|ruckmeldung\w*|vastau\w*|atbild(?!ig)\w*|atsakym\w*|(?:all|the|your)\s+contributions|^contributions|entscheidung\w*|decision|kinnitus\w*|решени\w*|ответ\w*|відповід\w*|respuesta\w*|rispost\w*|antwoord\w*|svar\w*|odpowied\w*)(?!\w)"
)


_NAMES = re.compile(
    r"\b(?:names?|lists?|noms?|listes?|namen|nimed?|nimi|nimesid|nimekir\w*|vardus?|saraks\w*|sara[sz]\w*|имена|спис\w+|nazwisk\w*|namn)\b"
)


def _names_people(spans: dict[AskKind, _Span], folded: str) -> bool:
    """Whether what is to be told are the names of persons."""
    span = spans.get("nominate")
    return bool(span and _NAMES.search(folded[span[0] : span[1]]))


def _of_questionnaire(spans: dict[AskKind, _Span], folded: str) -> bool:
    """Whether mere answers are followed by what they answer: "les réponses au questionnaire"."""
    begin, finish = spans["reply"]
    return bool(_GENERIC_REPLY.fullmatch(folded[begin:finish])) and finish < spans["inform"][0] <= finish + 5


def _only_vehicle(folded: str, table: AskPhrases, kind: AskKind) -> bool:
    """Whether a sentence speaks of "the reply" alone: how to answer what was asked before."""
    if kind != "reply":
        return False
    match = table.kinds[kind].search(folded)
    rest = _GENERIC_REPLY.sub(" ", folded)
    return bool(match and _GENERIC_REPLY.search(folded)) and not table.kinds[kind].search(rest)


def _blank(match: re.Match[str]) -> str:
    """Spaces in place of words that must not count, so that no other moves."""
    return " " * len(match.group())


def _refused(folded: str, tables: Sequence[AskPhrases]) -> bool:
    """Whether a sentence is thanks, an offer or a courtesy."""
    return any(table.refused.search(folded) for table in tables)


def _is_vehicle(sentence: str, tables: Sequence[AskPhrases]) -> bool:
    """Whether a sentence with a date may say by when to do what was asked."""
    folded = flat(sentence)
    return any(table.vehicle.search(folded) or table.request.search(folded) for table in tables)


def deadline(sentence: str, tables: Sequence[AskPhrases], after: date | None, language: str | None) -> Deadline | None:
    """The first day or period in a sentence that words like "by", "hiljemalt", "avant" make a deadline."""
    folded = flat(sentence)
    for printed in find_dates(sentence, after=after, language=language):
        day = printed.ends
        if day is None or day == printed.starts is None:
            continue
        for table in tables:
            cue = _cue(folded, printed, table)
            if cue is not None and not _lasts(folded, cue[0]):
                begin, finish = cue
                return Deadline(day, sentence[begin:finish].strip(" ,;:("))
    for table in tables:
        match = table.period.search(folded)
        if match:
            return Deadline(None, sentence[match.start() : match.end()].strip())
    return None


_UNTIL = re.compile(r"(?:until|till|to|kuni|bis|jusqu|saakka|asti|lidz|iki|до|do|tot|till)\b")


def _lasts(folded: str, begin: int) -> bool:
    """Whether the words before an "until" say that something lasts, or should last, that long."""
    before = folded[max(0, begin - _LASTING_REACH) : begin]
    return bool(_UNTIL.match(folded, begin) and phrases().lasting.search(before))


def is_deadline(sentence: str, printed: PrintedDate, language: str | None) -> bool:
    """Whether the words around a date make it a day to do something by."""
    folded = flat(sentence)
    return any(_cue(folded, printed, table) is not None for table in ask_phrases(language))


_BETWEEN = re.compile(
    r"^[\s,(]*(?:(?:the|le|la|den|dem|la date du|(?:[^\W\d_]+päeva\w*|[^\W\d_]+paeva\w*)|[^\W\d_]{3,14})[\s,]+){0,3}"
    r"(?:(?:\d{1,2}[.:h]\d{2}\s*(?:\([^)]{2,6}\)|[a-z]{2,4})?|noon|midday|midnight|midi|mittag)[\s,]*(?:(?:on|le|am|,)\s*(?:[^\W\d_]{5,12}[\s,]+)?)?)?$"
)


def _cue(folded: str, printed: PrintedDate, table: AskPhrases) -> tuple[int, int] | None:
    """The span from the cue to the date's end where the date is a deadline."""
    before = folded[max(0, printed.begin - _CUE_REACH) : printed.begin]
    offset = printed.begin - len(before)
    for cut in _cuts(before):
        match = table.before_date.search(before[:cut])
        if match:
            return offset + match.start(), printed.finish
    behind = table.after_date.match(folded[printed.finish :])
    if behind and behind.group().strip():
        return printed.begin, printed.finish + behind.end()
    if table.translative and re.search(r"(?:ks|ni|st)$", printed.month_form) and not printed.month_form.endswith("ust"):
        return printed.begin, printed.finish
    if table.translative and re.match(r"-?(?:ks|ni)\b|\.?\s?(?:a\.?|aasta)?(?:ks|ni)\b", folded[printed.finish :]):
        return printed.begin, printed.finish
    return None


def _cuts(before: str) -> list[int]:
    """The places in the words before a date where the cue may end: at the date, or before a weekday or an hour."""
    spaces = (match.start() for match in re.finditer(r"\s", before))
    return [len(before), *(at for at in spaces if _BETWEEN.match(before[at:]))]
