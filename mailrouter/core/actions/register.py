"""register: the letter's entry in the register, complete but for its number."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from mailrouter.core.actions.interface import READY, Outcome, Parameter, Scene, action
from mailrouter.core.actions.recipients import PERSON, person_named, responsible_of
from mailrouter.core.actions.values import DATE, FLAG, LINE, SERIES, TERM, WORD, choice
from mailrouter.core.chain.subjects import strip_prefixes
from mailrouter.core.context import Context, variables
from mailrouter.core.deadlines import letter_due
from mailrouter.core.effects import RegisterEffect, Text
from mailrouter.core.outcomes import Hold
from mailrouter.core.register import (
    Correspondent,
    Entry,
    Granted,
    Relation,
    RelationKind,
    Responsible,
    Series,
    access_of,
    file_mark,
    series_of,
)
from mailrouter.core.register.classification import function_mark
from mailrouter.core.sandbox import RenderError

_PARAMETERS = (
    Parameter("series", SERIES, "The series' mark, as in register.yaml: \"5-4\".", required=True),
    Parameter("responsible", PERSON, "Who answers for the letter: a person or role of people.yaml, or a path.", default="=instruction.responsible or forwarder"),
    Parameter("access", choice("Avalik", "AK", "Majasisene", "Piiratud"), "Access; else the series' own."),
    Parameter("access_basis", WORD, "The basis of a restriction: AvTS § 35 lg 1 p 3."),
    Parameter("access_until", DATE, "When a restriction ends."),
    Parameter("term", TERM, "The term of deadlines.yaml by which a letter without a deadline is answered.", default="institution"),
    Parameter("title", LINE, "The title; else the subject without its prefixes."),
    Parameter("kind", choice("letter", "request", "information-request"), "What kind of document it is.", default="letter"),
    Parameter("private", FLAG, "The sender is a private person: initials only in public.", default=False),
    Parameter("arrival", WORD, "How it arrived.", default="e-post"),
)  # fmt: skip


def _grounds(values: Mapping[str, Any], scene: Scene) -> tuple[Series, Granted, Responsible] | Hold:
    """What an entry stands on: the series, the access, the responsible; or why a person must look."""
    joined = scene.case.thread.entry if scene.case.thread.relation in {"reply", "follow-up"} else None
    mark = joined.series if joined else values["series"]
    series = series_of(scene.world.classification, mark or "")
    if series is None:
        return Hold("unclear", f"rule '{scene.rule}': register.yaml has no series '{mark}'")
    day = scene.now.date()
    restriction = scene.case.instruction.restriction if scene.case.instruction else None
    granted = access_of(
        scene.case.letters,
        values.get("access"),
        series,
        registered=day,
        basis=values.get("access_basis"),
        until=values.get("access_until"),
        restriction=restriction,
    )
    if isinstance(granted, Hold):
        return granted
    responsible = values.get("responsible") or _of_series(series, scene)
    if responsible is None:
        reason = f"rule '{scene.rule}': nobody is responsible: neither the instruction, the forwarder nor the series names one"
        return Hold("unclear", f"{reason}; give 'responsible' in the rule or in register.yaml")
    return series, granted, responsible


def _ready(values: Mapping[str, Any], scene: Scene) -> Outcome:
    found = _grounds(values, scene)
    if isinstance(found, Hold):
        return found
    wanted: Text | None = values.get("title")
    title = _title(wanted, scene) if wanted is not None and wanted.subject_source else ""
    return title if isinstance(title, Hold) else READY


@action("register", *_PARAMETERS, short="series", once=True, probe=_ready)
def register(values: Mapping[str, Any], scene: Scene) -> Outcome:
    """Enters the letter in the register; the number is given when the decision is settled.

    A letter that answers or follows up a registered one joins that one's series and number (5-4/22-2); the same letter
    arriving again is linked to its entry and gets no second number. A marked letter (LIMITE …) is never registered as
    Avalik: it is held.
    """
    found = _grounds(values, scene)
    if isinstance(found, Hold):
        return found
    series, granted, responsible = found
    title = _title(values.get("title"), scene)
    if isinstance(title, Hold):
        return title
    return RegisterEffect(
        scene.key, scene.rule, _entry(values, scene, series, granted, responsible, title), values["term"]
    )


def _entry(
    values: Mapping[str, Any], scene: Scene, series: Series, granted: Granted, responsible: Responsible, title: str
) -> Entry:
    case, letter, day = scene.case, scene.letter, scene.now.date()
    joined = case.thread.entry if case.thread.relation in {"reply", "follow-up"} else None
    return Entry(
        direction="incoming",
        title=title,
        function=joined.function if joined else function_mark(series),
        series=series.mark,
        file=joined.file if joined else file_mark(series, day),
        access=granted.access,
        access_basis=granted.basis,
        access_from=day.isoformat() if granted.access != "Avalik" else None,
        access_until=granted.until,
        responsible=responsible,
        sender=_sender(scene),
        sender_reference=letter.reference if letter else None,
        sender_date=_sender_date(scene),
        arrival=values.get("arrival"),
        due=_due(values["term"], scene, day),
        kind=values["kind"],
        private=bool(values.get("private")),
        relations=_relations(scene),
        message=case.sha256,
    )


def _of_series(series: Series, scene: Scene) -> Responsible | None:
    """The series' own responsible."""
    if not series.responsible:
        return None
    person = person_named(series.responsible, scene)
    return responsible_of(person) if person else None


def _title(wanted: Text | None, scene: Scene) -> str | Hold:
    if wanted is not None and wanted.subject_source:
        context = Context(scene.world.institution, scene.now.date().isoformat(), scene.rule, "et")
        values = variables(scene.case, scene.letter, context)
        try:
            return scene.world.templates.render_line(wanted.subject_source, values)
        except RenderError as error:
            return Hold("unclear", f"rule '{scene.rule}': the title: {error}")
    if wanted is not None and wanted.subject:
        return wanted.subject
    subject = strip_prefixes(scene.case.message.subject)
    return subject or (scene.letter.subject if scene.letter else None) or "(pealkirjata)"


def _sender(scene: Scene) -> Correspondent:
    incoming = scene.case.incoming
    if incoming is None or incoming.author is None:
        author = scene.letter.author if scene.letter else None
        name = author.name if author and author.name else scene.case.sender.name
        return Correspondent(author.institution if author else None, name or "", None)
    # `institution` has the letterhead's where it is the sender's own: an enclosed office's letter makes nobody an office.
    return Correspondent(incoming.institution, incoming.author.name, incoming.author.address)


def _sender_date(scene: Scene) -> str | None:
    """The letter's date, else the day that the mail was sent, in the sender's own zone."""
    if scene.letter is not None and scene.letter.dated:
        return scene.letter.dated
    incoming = scene.case.incoming
    return incoming.sent[:10] if incoming is not None and incoming.sent else None


def _due(name: str, scene: Scene, day: date) -> str | None:
    """The letter's own deadline, else the colleague's, else the term's; a letter that asks for nothing has none."""
    letter, instruction = scene.letter, scene.case.instruction
    ordered = instruction.deadline if instruction else None
    deadline = (letter.deadline if letter else None) or (None if letter and letter.deadline_raw else ordered)
    term = next((term for term in scene.world.terms if term.name == name), None)
    if letter is not None and not letter.asks and deadline is None and name == "institution":
        return None
    found = letter_due(deadline, letter.deadline_raw if letter else None, term, day)
    return found.isoformat() if found else None


def _relations(scene: Scene) -> tuple[Relation, ...]:
    thread = scene.case.thread
    kind: RelationKind = "initial"  # what the other document is to this one
    first = (Relation(kind, thread.entry.number),) if thread.entry and thread.relation in {"reply", "follow-up"} else ()
    return first + tuple(Relation("related", number) for number in thread.related)
