"""Case × config/nominations.yaml → the nominee for a topic.

Invariant: a name is proposed only when one topic is met better than all others, and only a person whose entry is valid
on the day; else nobody is proposed and the draft waits for a person to fill it in.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from email_validator import EmailNotValidError, validate_email

from mailrouter.core.case import Case
from mailrouter.core.language import fold, stem_matches
from mailrouter.core.people import Directory, Person

Place = tuple[str | int, ...]

# What a topic's signs weigh: what is asked and the title say what the letter is about, its text mentions much else.
_IN_TITLE_OR_ASK = 6
_IN_TEXT = 2
_BY_ADDRESS = 3
_BY_INSTITUTION = 2
_BY_SERIES = 1

_PHONE = re.compile(r"\+\d[\d ()\-]{5,20}\d")
_ESTONIAN_DIGITS = range(7, 9)  # behind +372: 7 for desks, 7 or 8 for mobiles
_PHONE_DIGITS = range(7, 16)  # E.164


@dataclass(frozen=True, slots=True)
class Nominee:
    """Whom the institution names, as the answer prints it."""

    name: str
    function: str
    organisation: str
    email: str
    phone: str
    deputy: "Nominee | None" = None


@dataclass(frozen=True, slots=True)
class Topic:
    """Who is named for a topic: met by any of its keywords (stems), senders (institution or address) or series."""

    topic: str
    nominee: str  # a person in the directory
    deputy: str | None = None
    keywords: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    approver: str | None = None  # the person or role entitled to approve
    valid_from: str | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True)
class Nominations:
    """config/nominations.yaml."""

    topics: tuple[Topic, ...] = ()


def propose(
    case: Case,
    nominations: Nominations,
    directory: Directory,
    *,
    on: str,
    series: str | None = None,
    organisation: str = "",
    language: str | None = None,
) -> tuple[Nominee, ...]:
    """Whom to name in answer to a case on the ISO date `on`; () if no topic is met, several equally, or nobody is valid.

    `series` is the mark that the letter is registered in; `organisation` stands where the directory names none;
    `language` is the answer's: posts are given in it where the directory has them.
    """
    topic = topic_of(case, nominations, on=on, series=series)
    nominee = nominee_of(topic, directory, on=on, organisation=organisation, language=language) if topic else None
    return (nominee,) if nominee else ()


def topic_of(case: Case, nominations: Nominations, *, on: str, series: str | None = None) -> Topic | None:
    """The topic that a case meets best; None if none, or if two that name different persons are met equally."""
    scored = [(_weight(topic, case, series), topic) for topic in nominations.topics if _holds(topic, on)]
    best = max((weight for weight, _ in scored), default=0)
    topics = [topic for weight, topic in scored if weight == best > 0]
    return topics[0] if topics and len({fold(topic.nominee) for topic in topics}) == 1 else None


def nominee_of(
    topic: Topic, directory: Directory, *, on: str, organisation: str = "", language: str | None = None
) -> Nominee | None:
    """The topic's nominee with the deputy; the deputy alone where the nominee is not in the directory or not valid."""
    persons = (_valid_person(topic.nominee, directory, on), _valid_person(topic.deputy, directory, on))
    named = [_nominee(person, organisation, language) for person in persons if person]
    if not named:
        return None
    return replace(named[0], deputy=named[1]) if len(named) == 2 else named[0]


def _nominee(person: Person, organisation: str, language: str | None) -> Nominee:
    """The person's particulars, the post in the answer's language where the directory has it."""
    told = next((one for one in person.translated if one.language == language), None)
    job = (told.job if told else "") or person.job
    body = (told.organisation if told else "") or person.organisation or organisation
    return Nominee(person.name, job, body, person.email, person.phone)


def _valid_person(name: str | None, directory: Directory, on: str) -> Person | None:
    found = _person(name, directory) if name else None
    return found if found and _holds(found, on) else None


def _person(name: str, directory: Directory) -> Person | None:
    return next((person for person in directory.people if fold(person.name) == fold(name).strip()), None)


def _holds(entry: Topic | Person, on: str) -> bool:
    """Whether the entry is valid on that day, first and last day included."""
    return (not entry.valid_from or entry.valid_from <= on) and (not entry.valid_until or on <= entry.valid_until)


def _weight(topic: Topic, case: Case, series: str | None) -> int:
    """How strongly a case meets a topic; 0: not at all."""
    heads, texts = _words(case)
    weight = 0
    for keyword in topic.keywords:
        if any(stem_matches(keyword, head) for head in heads):
            weight += _IN_TITLE_OR_ASK
        elif any(stem_matches(keyword, text) for text in texts):
            weight += _IN_TEXT
    return weight + _sender_weight(topic, case) + (_BY_SERIES if series and series in topic.series else 0)


def _words(case: Case) -> tuple[list[str], list[str]]:
    """What says outright what the letter is about, and the rest of the words; the history below is left out."""
    mail = case.incoming
    heads = [case.message.subject, mail.subject if mail else ""]
    texts = [mail.text if mail else case.message.text]
    for letter in case.letters:
        heads += [letter.subject or "", *(ask.text for ask in letter.asks)]
        texts.append(letter.text)
    return heads, texts


def _sender_weight(topic: Topic, case: Case) -> int:
    mail = case.incoming
    if mail is None:
        return 0
    wanted = {fold(sender).strip() for sender in topic.senders}
    address = fold((mail.author.address if mail.author else None) or "")
    if address and address in wanted:
        return _BY_ADDRESS
    institutions = {
        fold(name) for name in (mail.institution, *(letter.author.institution for letter in case.letters)) if name
    }
    return _BY_INSTITUTION if institutions & wanted else 0


def check_nominations(nominations: Nominations, directory: Directory) -> list[tuple[Place, str]]:
    """What is wrong in config/nominations.yaml, given the directory: (path in the file, message)."""
    found: list[tuple[Place, str]] = []
    titles: Mapping[str, int] = {topic.topic: index for index, topic in reversed(list(enumerate(nominations.topics)))}
    for index, topic in enumerate(nominations.topics):
        place: Place = ("topics", index)
        if titles[topic.topic] != index:
            found.append(((*place, "topic"), f"topic {topic.topic!r} stands twice"))
        if not (topic.keywords or topic.senders or topic.series):
            found.append(((*place, "topic"), "nothing meets this topic: give it keywords, senders or series"))
        found += [
            ((*place, "keywords", at), "an empty keyword") for at, word in enumerate(topic.keywords) if not word.strip()
        ]
        found += _check_persons(topic, directory, place)
        found += _check_period(topic, place)
    return found


def _check_persons(topic: Topic, directory: Directory, place: Place) -> Iterator[tuple[Place, str]]:
    for key, name in (("nominee", topic.nominee), ("deputy", topic.deputy)):
        if name is None:
            continue
        person = _person(name, directory)
        if person is None:
            yield (*place, key), f"{name!r} is not in people.yaml"
            continue
        for problem in _contact_problems(person):
            yield (*place, key), f"{name}: {problem} (people.yaml)"
    if topic.deputy and fold(topic.deputy) == fold(topic.nominee):
        yield (*place, "deputy"), "the deputy is the nominee"
    if topic.approver and not _known_approver(topic.approver, directory):
        yield (*place, "approver"), f"{topic.approver!r} is neither a person nor a role, unit or group of people.yaml"


def _known_approver(name: str, directory: Directory) -> bool:
    names = (
        *(person.name for person in directory.people),
        *(role.name for role in directory.roles),
        *(group.name for group in directory.groups),
        *(unit.name for unit in directory.units),
    )
    return any(fold(known) == fold(name).strip() for known in names)


def _contact_problems(person: Person) -> Iterator[str]:
    """What an answer that names this person would lack or print wrongly."""
    if problem := email_problem(person.email):
        yield problem
    if problem := phone_problem(person.phone):
        yield problem
    if not person.job:
        yield "no job: the answer names a function"


def email_problem(address: str) -> str | None:
    """What is wrong with an e-mail address (RFC 5321, 5322, 6531; no look-up), or None."""
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        return f"e-mail address {address!r}: {error}"
    return None


def phone_problem(number: str) -> str | None:
    """What is wrong with a phone number, or None: international, +372 and seven or eight digits for Estonia."""
    if not number:
        return "no phone number"
    digits = re.sub(r"\D", "", number)
    wanted = _ESTONIAN_DIGITS if digits.startswith("372") else _PHONE_DIGITS
    length = len(digits) - 3 if digits.startswith("372") else len(digits)
    if not _PHONE.fullmatch(number.strip()) or length not in wanted:
        return f"phone number {number!r}: write it as +372 and seven or eight digits, or internationally"
    return None


def _check_period(topic: Topic, place: Place) -> Iterator[tuple[Place, str]]:
    for key, day in (("valid_from", topic.valid_from), ("valid_until", topic.valid_until)):
        try:
            date.fromisoformat(day or "2000-01-01")
        except ValueError:
            yield (*place, key), f"{day!r} is not a date; write it as 2024-12-31"
            return
    if topic.valid_from and topic.valid_until and topic.valid_until < topic.valid_from:
        yield (*place, "valid_until"), "the period ends before it begins"


def ended(nominations: Nominations, directory: Directory, on: str) -> Sequence[tuple[Place, str]]:
    """Who of config/nominations.yaml cannot be named on the ISO date `on` any more or yet: warnings for staff."""
    found: list[tuple[Place, str]] = []
    for index, topic in enumerate(nominations.topics):
        for key, name in (("nominee", topic.nominee), ("deputy", topic.deputy)):
            person = _person(name, directory) if name else None
            if person and not _holds(person, on):
                until = (
                    f"until {person.valid_until}"
                    if person.valid_until and person.valid_until < on
                    else f"from {person.valid_from}"
                )
                found.append((("topics", index, key), f"{name} is valid {until}: topic {topic.topic!r} needs another"))
    return found
