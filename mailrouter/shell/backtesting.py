"""A rule change tried on the whole archive before it counts.

Invariant: facts are stored, nothing is parsed again; memory stays flat however long the archive is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailrouter.core.backtest import Difference, Side, Tally, compare
from mailrouter.core.case import CASE, Case, MailboxRef
from mailrouter.core.rules import RuleSet
from mailrouter.shell.deciding import consider
from mailrouter.shell.pipeline import Pipeline
from mailrouter.shell.reading import iter_paths


@dataclass
class Backtest:
    """Old rules against new ones, case by case; the sums are complete when `differences` has ended."""

    pipeline: Pipeline
    old: RuleSet
    new: RuleSet
    since: str | None = None
    mailbox: str | None = None
    rule: str | None = None
    paths: Sequence[str] = ()
    tally: Tally = field(default_factory=Tally)

    def count(self) -> int | None:
        """How many cases there are, None if that is not known beforehand."""
        if self.paths:
            return None
        return self.pipeline.store.listing.count_cases(since=self.since, mailbox=self.mailbox)

    def differences(self, step: Callable[[], None] = lambda: None) -> Iterator[dict[str, Any]]:
        """Each changed case, as `backtest --json` prints it."""
        for case in self._cases():
            found = compare(self.old, self.new, case)
            if found is not None and self.rule is not None and self.rule not in {*found.gained, *found.lost}:
                found = None
            self.tally.add(found)
            if found is not None:
                yield _shown(found)
            step()

    def summary(self) -> dict[str, Any]:
        """The last line."""
        tally = self.tally
        return {
            "cases": tally.cases,
            "changed": tally.changed,
            "gained": tally.gained,
            "lost": tally.lost,
            "examples": tally.examples,
        }

    def _cases(self) -> Iterator[Case]:
        if self.paths:
            yield from self._from_paths()
            return
        for _, text in self.pipeline.store.listing.cases(since=self.since, mailbox=self.mailbox):
            yield CASE.validate_json(text)

    def _from_paths(self) -> Iterator[Case]:
        """Mails from files, resolved as the first mailbox would take them."""
        mailbox = self.pipeline.settings.mailboxes[0]
        around = self.pipeline.around(mailbox)
        reference = MailboxRef(mailbox.name, mailbox.address)
        for one in iter_paths(self.paths):
            if one.raw is not None:
                reading = self.pipeline.reader.read(one.raw)
                yield consider(reading, reference, around.now, self.old, around).case


def _shown(found: Difference) -> dict[str, Any]:
    return {
        "sha256": found.sha256,
        "subject": found.subject,
        "before": _effects(found.before),
        "after": _effects(found.after),
        "hold_before": found.before.hold,
        "hold_after": found.after.hold,
        "gained": list(found.gained),
        "lost": list(found.lost),
    }


def _effects(side: Side) -> list[dict[str, Any]]:
    return [_flat(effect) for effect in side.effects]


def _flat(effect: Mapping[str, Any]) -> dict[str, Any]:
    """An effect with bare addresses, as `explain` shows it."""
    data = dict(effect)
    for name in ("to", "cc"):
        if name in data:
            data[name] = [one["address"] or one["name"] for one in data[name]]
    return {**data, **data.pop("content", {})}
