"""A plan's texts rendered, its reminders timed.

Invariant: nothing of a mail is ever rendered as a template; a text that fails raises RenderError, so that nothing goes
out half.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import assert_never

from mailrouter.core.actions.contents import language_of
from mailrouter.core.case import Case
from mailrouter.core.chain.subjects import strip_prefixes
from mailrouter.core.context import Context, Done, variables
from mailrouter.core.deadlines import due, is_working_day, registration_due
from mailrouter.core.effects import (
    AssignEffect,
    AutoReplyEffect,
    DraftEffect,
    Effect,
    FlagEffect,
    ForwardEffect,
    HandOverEffect,
    MoveEffect,
    NotifyEffect,
    Plan,
    RegisterEffect,
    RemindEffect,
    SendEffect,
    Text,
)
from mailrouter.core.letter.letters import Letter
from mailrouter.core.nominations import Nominee, propose
from mailrouter.core.register import Entry
from mailrouter.core.rules import RuleSet
from mailrouter.core.sandbox import RenderError

_NINE = 9  # o'clock: when reminders go out
NOMINEE = Nominee(
    "{nominee.name}", "{nominee.function}", "{nominee.organisation}", "{nominee.email}", "{nominee.phone}"
)


@dataclass(frozen=True)
class Filler:
    """One plan being filled."""

    case: Case
    ruleset: RuleSet
    plan: Plan
    entry: Entry | None
    now: datetime

    def filled(self) -> Plan:
        """The plan with every text rendered: what others are told comes last, since it speaks of the rest."""
        numbered = [self._numbered(effect) for effect in self.plan.effects]
        first = [effect if _tells(effect) else self._rendered(effect, ()) for effect in numbered]
        done = tuple(describe(effect) for effect in first if not _tells(effect))
        notes = list(self.plan.notes)
        result: list[Effect] = []
        for effect in first:
            if not _tells(effect):
                result.append(effect)
                continue
            timed = self._timed(effect)
            if timed is None:
                notes.append(f"rule '{effect.rule}': remind: there is no due date")
            else:
                result.append(self._rendered(timed, done))
        return replace(self.plan, effects=tuple(result), notes=tuple(notes))

    def _numbered(self, effect: Effect) -> Effect:
        """The register effect with the entry that was made; somebody assigned is responsible in it."""
        if isinstance(effect, RegisterEffect) and self.entry is not None and not self.plan.link:
            return replace(effect, entry=self.entry)
        return effect

    def _timed(self, effect: Effect) -> Effect | None:
        if not isinstance(effect, RemindEffect) or effect.at is not None or effect.before_due is None:
            return effect
        if self.due is None:
            return None
        number, _, unit = effect.before_due.partition(" ")
        moment = _before(date.fromisoformat(self.due), int(number), unit, self.now)
        return replace(effect, at=max(moment, self.now).isoformat(timespec="seconds"), due=self.due)

    def _rendered(self, effect: Effect, done: tuple[Done, ...]) -> Effect:
        match effect:
            case (
                MoveEffect(source=None)
                | RegisterEffect()
                | FlagEffect()
                | AssignEffect()
                | HandOverEffect()
                | SendEffect()
            ):
                return effect
            case MoveEffect(source=source):
                values = self._variables(effect, None, done)
                folder = self.ruleset.world.templates.render_line(source or "", values)
                if not folder:
                    raise RenderError(f"rule '{effect.rule}': the folder's name '{source}' comes to nothing")
                return replace(effect, folder=folder, source=None)
            case NotifyEffect(kind="calendar"):
                from mailrouter.core.letter.calendar import to_ical  # noqa: PLC0415  # icalendar is slow to load

                letter = self._letter(effect.rule)
                ics = to_ical(letter.events, self.now) if letter else ""
                return replace(effect, content=self._text(effect, effect.content, done), ics=ics)
            case DraftEffect():
                return self._drafted(effect, done)
            case ForwardEffect() | AutoReplyEffect() | NotifyEffect() | RemindEffect():
                return replace(effect, content=self._text(effect, effect.content, done))
            case _:
                assert_never(effect)

    def _drafted(self, effect: DraftEffect, done: tuple[Done, ...]) -> DraftEffect:
        """A draft's text; where it names somebody, also with the places open, so that another may be named."""
        made = replace(effect, content=self._text(effect, effect.content, done))
        name = effect.content.template
        if name is None or "nominee" not in self.ruleset.world.templates.uses(name):
            return made
        unnamed = self._text(replace(effect, needs=("nominee",)), effect.content, done)
        nominees = () if "nominee" in effect.needs else tuple(_with_deputies(self._nominees(made.content.language)))
        return replace(made, nominees=nominees, unnamed=unnamed)

    def _text(self, effect: Effect, text: Text, done: tuple[Done, ...]) -> Text:
        templates = self.ruleset.world.templates
        name = templates.choose(text.template, (text.language,)) if text.template else None
        language = (templates.language_of(name) if name else None) or text.language
        values = self._variables(effect, language, done)
        made = replace(text, template=None, source=None, subject_source=None, language=language)
        if name is not None:
            rendered = templates.render(name, values)
            made = replace(made, subject=rendered.subject, text=rendered.text, html=rendered.html)
            made = replace(made, attachments=rendered.attachments or text.attachments)
        elif text.source is not None:
            made = replace(made, text=templates.render_text(text.source, values))
        elif text.template is not None:
            raise RenderError(f"rule '{effect.rule}': no template is called '{text.template}'")
        own = text.subject
        if text.subject_source is not None and (name is None or effect.rule):
            own = templates.render_line(text.subject_source, values)
        return replace(made, subject=own or made.subject or self._subject(effect))

    def _subject(self, effect: Effect) -> str:
        """The subject where neither rule nor template gives one."""
        own = strip_prefixes(self.case.message.subject)
        match effect:
            case DraftEffect() | AutoReplyEffect():
                incoming = self.case.incoming
                return f"Re: {strip_prefixes(incoming.subject) if incoming and incoming.subject else own}"
            case ForwardEffect():
                return f"FW: {own}"
        number = self.entry.number if self.entry else None
        return f"{number}: {own}" if number else own

    def _letter(self, rule: str) -> Letter | None:
        letters = self.case.letters
        index = self.plan.letters.get(rule, 0)
        return letters[index or 0] if letters and (index or 0) < len(letters) else None

    def _variables(self, effect: Effect, language: str | None, done: tuple[Done, ...]) -> dict[str, object]:
        letter = self._letter(effect.rule)
        nominees = self._nominees(language) if isinstance(effect, DraftEffect) else ()
        if isinstance(effect, DraftEffect) and "nominee" in effect.needs:
            nominees = (NOMINEE,)
        context = Context(
            institution=self.ruleset.institution,
            today=self.now.date().isoformat(),
            rule=effect.rule,
            language=language or language_of(self.case, letter, self.ruleset.directory) or "en",
            entry=self.entry,
            due=self.due,
            nominee=nominees[0] if nominees else None,
            nominees=nominees,
            effects=done,
            drafts=tuple(one for one in done if one.kind == "draft"),
            hold=self.plan.hold,
        )
        return variables(self.case, letter, context)

    def _nominees(self, language: str | None) -> tuple[Nominee, ...]:
        return propose(
            self.case,
            self.ruleset.nominations,
            self.ruleset.directory,
            on=self.now.date().isoformat(),
            series=self.entry.series if self.entry else None,
            organisation=self.ruleset.institution,
            language=language,
        )

    @cached_property
    def due(self) -> str | None:
        """By when the letter is due: as registered, else by its own words or the usual term; a hold: as the law says."""
        if self.plan.hold is not None:
            return registration_due(datetime.fromisoformat(self.case.received).date()).isoformat()
        if self.entry is not None:
            return self.entry.due
        if self.plan.effects and any(isinstance(effect, RegisterEffect) for effect in self.plan.effects):
            return next(effect.entry.due for effect in self.plan.effects if isinstance(effect, RegisterEffect))
        deadlines = [letter.deadline for letter in self.case.letters if letter.deadline]
        if deadlines:
            return min(deadlines)
        term = next((term for term in self.ruleset.terms if term.name == "institution"), None)
        day = (
            due(term, self.now.date())
            if term is not None and any(letter.asks for letter in self.case.letters)
            else None
        )
        return day.isoformat() if day else None


def _with_deputies(nominees: tuple[Nominee, ...]) -> Iterator[str]:
    for nominee in nominees:
        yield nominee.name
        if nominee.deputy:
            yield nominee.deputy.name


def _tells(effect: Effect) -> bool:
    return effect.kind in {"notify", "remind"}


def _before(day: date, number: int, unit: str, now: datetime) -> datetime:
    """The morning so long before a day; hours count from the end of that day's work."""
    if unit == "hours":
        return datetime(day.year, day.month, day.day, 17, tzinfo=now.tzinfo) - timedelta(hours=number)
    if unit == "working days":
        while number > 0:
            day -= timedelta(days=1)
            number -= is_working_day(day)
    else:
        day -= timedelta(weeks=number) if unit == "weeks" else timedelta(days=number)
    return datetime(day.year, day.month, day.day, _NINE, tzinfo=now.tzinfo)


def describe(effect: Effect) -> Done:
    """An effect as texts and lists speak of it."""
    match effect:
        case ForwardEffect() | AutoReplyEffect() | NotifyEffect():
            return Done(effect.kind, effect.rule, effect.to, effect.content.subject)
        case DraftEffect():
            return Done(effect.kind, effect.rule, effect.to, effect.content.subject, effect.purpose, needs=effect.needs)
        case RemindEffect():
            return Done(effect.kind, effect.rule, effect.to, effect.content.subject, at=effect.at)
        case MoveEffect():
            return Done(effect.kind, effect.rule, folder=effect.folder)
    return Done(effect.kind, effect.rule)
