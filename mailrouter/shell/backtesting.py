"""A rule change tried on the whole archive before it counts.

Invariant: facts are stored, nothing is parsed again; memory stays flat however long the archive is.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mailrouter import ruleset
from mailrouter.core.backtest import Difference, Side, Tally, compare
from mailrouter.core.case import CASE, Case, MailboxRef
from mailrouter.core.rules import RuleSet
from mailrouter.core.spelling import nearest
from mailrouter.shell.deciding import consider
from mailrouter.shell.errors import Permanent
from mailrouter.shell.pipeline import Pipeline
from mailrouter.shell.reading import iter_paths

_CHUNK = 250  # cases that a child decides at a time
_ALONE = 2000  # so many cases are decided sooner than children start


@dataclass
class Backtest:
    """Old rules against new ones, case by case; the sums are complete when `differences` has ended."""

    pipeline: Pipeline
    old: Mapping[str, str]  # the texts of each version
    new: Mapping[str, str]
    since: str | None = None
    mailbox: str | None = None
    rule: str | None = None
    paths: Sequence[str] = ()
    workers: int = os.cpu_count() or 1
    tally: Tally = field(default_factory=Tally)

    def count(self) -> int | None:
        """How many cases there are, None if that is not known beforehand."""
        if self.paths:
            return None
        return self.pipeline.store.listing.count_cases(since=self.since, mailbox=self.mailbox)

    def differences(self, step: Callable[[], None] = lambda: None) -> Iterator[dict[str, Any]]:
        """Each changed case, as `backtest --json` prints it; Permanent if neither version has the `rule` asked for."""
        if self.rule is not None:
            _known(self.rule, built(self.old), built(self.new))
        few = bool(self.paths) or self.workers == 1 or (self.count() or 0) < _ALONE
        for tally, shown in self._here() if few else self._in_children():
            self.tally.merge(tally)
            yield from shown
            for _ in range(tally.cases):
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

    def _here(self) -> "Iterator[Part]":
        old, new = built(self.old), built(self.new)
        for case in self._from_paths(old) if self.paths else self._archive():
            yield _decided([case], old, new, self.rule)

    def _in_children(self) -> "Iterator[Part]":
        texts = (text for _, text in self.pipeline.store.listing.cases(since=self.since, mailbox=self.mailbox))
        with ProcessPoolExecutor(
            self.workers, multiprocessing.get_context("spawn"), _prepare, (self.old, self.new, self.rule)
        ) as pool:
            waiting: list[Future[Part]] = []
            while chunk := list(islice(texts, _CHUNK)):
                waiting.append(pool.submit(_decide_texts, chunk))
                if len(waiting) > 3 * self.workers:
                    yield waiting.pop(0).result()
            for one in waiting:
                yield one.result()

    def _archive(self) -> Iterator[Case]:
        for _, text in self.pipeline.store.listing.cases(since=self.since, mailbox=self.mailbox):
            yield CASE.validate_json(text)

    def _from_paths(self, old: RuleSet) -> Iterator[Case]:
        """Mails from files, resolved as the first mailbox would take them."""
        mailbox = self.pipeline.settings.mailboxes[0]
        around = self.pipeline.around(mailbox)
        reference = MailboxRef(mailbox.name, mailbox.address)
        for one in iter_paths(self.paths):
            if one.raw is None:
                raise Permanent(one.error or f"{one.file} cannot be read")
            reading = self.pipeline.reader.read(one.raw)
            yield consider(reading, reference, around.now, old, around).case


Part = tuple[Tally, list[dict[str, Any]]]
_versions: dict[str, Any] = {}  # a child's two rule sets: built once, when the child starts


def built(files: Mapping[str, str]) -> RuleSet:
    """A version's rule set; Permanent with its problems."""
    found, problems = ruleset.build(files)
    if found is None:
        raise Permanent("the rules have problems:\n" + "\n".join(str(one) for one in problems))
    return found


def _known(rule: str, *versions: RuleSet) -> None:
    names = {one.name for version in versions for one in version.rules}
    if rule not in names:
        raise Permanent(f"neither the rules in force nor the given ones have a rule '{rule}'{nearest(rule, names)}")


def _prepare(old: Mapping[str, str], new: Mapping[str, str], rule: str | None) -> None:
    _versions.update(old=built(old), new=built(new), rule=rule)


def _decide_texts(texts: Sequence[str]) -> Part:
    cases = (CASE.validate_json(text) for text in texts)
    return _decided(cases, _versions["old"], _versions["new"], _versions["rule"])


def _decided(cases: "Iterator[Case] | Sequence[Case]", old: RuleSet, new: RuleSet, rule: str | None) -> Part:
    tally, shown = Tally(), []
    for case in cases:
        found = compare(old, new, case)
        if found is not None and rule is not None and rule not in {*found.gained, *found.lost}:
            found = None
        tally.add(found)
        if found is not None:
            shown.append(_shown(found))
    return tally, shown


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
