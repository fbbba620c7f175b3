"""A rule change tried on the whole archive before it counts; and the rules' own examples.

Invariant: facts are stored, nothing is parsed again; memory stays flat however long the archive is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailrouter.core.backtest import Difference, compare
from mailrouter.core.case import CASE, Case
from mailrouter.core.rules import RuleSet
from mailrouter.settings import Mailbox
from mailrouter.shell.deciding import consider
from mailrouter.shell.explaining import effect_json
from mailrouter.shell.pipeline import Pipeline
from mailrouter.shell.reading import iter_paths
from mailrouter.core.case import MailboxRef


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
    cases: int = 0
    changed: int = 0
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def count(self) -> int | None:
        """How many cases there are, None if that is not known beforehand."""
        if self.paths:
            return None
        return self.pipeline.store.listing.count_cases(since=self.since, mailbox=self.mailbox)

    def differences(self, step: Callable[[], None] = lambda: None) -> Iterator[dict[str, Any]]:
        """Each changed case, as `backtest --json` prints it."""
        for case in self._cases():
            self.cases += 1
            found = compare(self.old, self.new, case)
            if found is not None and self._wanted(found):
                self.changed += 1
                self.gained.update(found.gained)
                self.lost.update(found.lost)
                yield _shown(case, found)
            step()

    def summary(self) -> dict[str, Any]:
        """The last line."""
        return {"cases": self.cases, "changed": self.changed, "gained": dict(self.gained), "lost": dict(self.lost)}

    def _cases(self) -> Iterator[Case]:
        if self.paths:
            yield from self._from_paths()
            return
        for _, text in self.pipeline.store.listing.cases(since=self.since, mailbox=self.mailbox):
            yield CASE.validate_json(text)

    def _from_paths(self) -> Iterator[Case]:
        """Mails from files, resolved as the first mailbox would take them."""
        mailbox: Mailbox = self.pipeline.settings.mailboxes[0]
        around = self.pipeline.around(mailbox)
        reference = MailboxRef(mailbox.name, mailbox.address)
        for one in iter_paths(self.paths):
            if one.raw is not None:
                reading = self.pipeline.reader.read(one.raw)
                yield consider(reading, reference, around.now, self.old, around).case

    def _wanted(self, found: Difference) -> bool:
        if self.rule is None:
            return True
        named = {*found.gained, *found.lost, *(effect.rule for effect in (*found.before, *found.after))}
        return self.rule in named


def _shown(case: Case, found: Difference) -> dict[str, Any]:
    return {
        "sha256": case.sha256,
        "subject": case.message.subject,
        "before": [effect_json(effect) for effect in found.before],
        "after": [effect_json(effect) for effect in found.after],
        "gained": list(found.gained),
        "lost": list(found.lost),
    }
