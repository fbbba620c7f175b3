"""Every shipped sample mail comes out as its expectation says, in the order of arrival, under the shipped rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from mailrouter import ruleset, settings
from mailrouter.core.case import MailboxRef
from mailrouter.core.containers import Limits
from mailrouter.core.effects import EFFECT
from mailrouter.core.reading import read
from mailrouter.core.register import Entry
from mailrouter.demo import samples
from mailrouter.shell.deciding import Arrival, Surroundings, consider, settlement
from mailrouter.shell.store.store import Store

SAMPLES = samples.load(samples.shipped() / "rules" / "samples")
FOR_HOLDS = {"notify", "remind", "flag"}


@dataclass(frozen=True)
class Outcome:
    """What became of one sample."""

    rules: tuple[str, ...]
    hold: str | None
    relation: str
    linked: str | None
    entry: Entry | None  # the new one
    effects: tuple[Mapping[str, Any], ...]
    why: str


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory):
    """All samples read, decided and settled one after the other in a store of their own."""
    folder = samples.shipped() / "config"
    shipped, problems = settings.load(folder)
    assert shipped, problems
    rules, problems = ruleset.build(ruleset.collect(folder, shipped))
    assert rules, "\n".join(map(str, problems))
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('samples')}/store.db")
    mailbox = shipped.mailboxes[0]
    found = {}
    for uid, sample in enumerate(SAMPLES, 1):
        store.intake.see(mailbox.name, "INBOX", 1, [uid])
        row = store.intake.waiting(mailbox.name, "INBOX", 1, 10)[0].id
        reading = read(sample.raw, Limits())
        reference = MailboxRef(mailbox.name, mailbox.address)
        around = Surroundings(store.registry.lookup, sample.arrives, mailbox.registrars)
        considered = consider(reading, reference, sample.arrives, rules, around)
        arrival = Arrival(row, reference, sample.arrives, ("seen",), sample.raw, len(sample.raw))
        store.settler.settle([settlement(considered, arrival, reading, rules, around)])
        found[sample.name] = _outcome(store, row, considered)
    store.close()
    return found


def _outcome(store, row, considered):
    case, decision = considered.case, considered.decision
    listed = store.listing.messages(ids=[row])[0]
    linked = case.thread.entry.number if case.thread.entry else None
    entry = store.registry.get(listed.number) if considered.registers and listed.number else None
    effects = tuple({"kind": one["kind"], **(one["payload"] or {})} for one in listed.effects)
    trace = json.dumps([[line.rule, [[c.condition, str(c.found), c.matched] for c in line.conditions]] for line in decision.trace], ensure_ascii=False, indent=1)
    hold = f"{decision.hold}\n" if decision.hold else ""
    return Outcome(decision.rules, decision.hold.code if decision.hold else None, case.thread.relation, linked, entry, effects, hold + trace)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample_comes_out_as_expected(sample, outcomes):
    """The rules that match, the hold, the register entry and every effect are those of NAME.expected.yaml."""
    expected, outcome = sample.expected, outcomes[sample.name]
    assert outcome.hold == expected["hold"], outcome.why
    assert list(outcome.rules) == expected["matched"], outcome.why
    assert outcome.relation == expected["thread"]
    assert outcome.linked == expected.get("linked")
    _check_entry(outcome.entry, expected["register"])
    _check_effects(outcome, expected["effects"])


def _check_entry(entry, expected):
    assert (entry is None) == (expected is None)
    for key, wanted in (expected or {}).items():
        found = getattr(entry, key)
        if isinstance(wanted, Mapping):
            assert {name: getattr(found, name) for name in wanted} == wanted
        elif key == "registered":
            assert found[:10] == wanted
        else:
            assert found == wanted, key


def _check_effects(outcome, expected):
    if outcome.hold:
        assert {effect["kind"] for effect in outcome.effects} <= FOR_HOLDS
        assert not expected
        return
    assert sorted(effect["kind"] for effect in outcome.effects) == sorted(effect["kind"] for effect in expected)
    for wanted in expected:
        alike = [effect for effect in outcome.effects if _meets(effect, wanted)]
        assert alike, (wanted, [effect for effect in outcome.effects if effect["kind"] == wanted["kind"]])
    assert not expected or outcome.effects[-1]["kind"] == "move" or "move" not in {effect["kind"] for effect in expected}


def _meets(effect, wanted):
    words = (effect.get("content") or {}).get("text", "")
    same = all(effect.get(key) == wanted[key] for key in wanted.keys() - {"to", "text"})
    addressed = "to" not in wanted or [one["address"] for one in effect.get("to", ())] == wanted["to"]
    return same and addressed and all(text in words for text in wanted.get("text", ()))


def test_effects_read_back_as_they_were_written(outcomes):
    """What the store keeps of an effect is a whole effect again."""
    kept = [effect for outcome in outcomes.values() for effect in outcome.effects if "key" in effect]
    assert kept
    assert all(EFFECT.validate_python(effect).key == effect["key"] for effect in kept)


def test_there_are_samples_of_everyday_mail():
    """The seed case and at least twelve more, each with its own time of arrival."""
    assert len(SAMPLES) >= 13
    assert len({sample.arrives for sample in SAMPLES}) == len(SAMPLES)
