"""Many mails settled in one transaction: as one after the other, or not at all."""

from dataclasses import replace

import pytest

from mailrouter import ruleset, settings
from mailrouter.core.case import MailboxRef
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.demo import samples
from mailrouter.shell.deciding import Arrival, Surroundings, consider, settlement
from mailrouter.shell.store.settlement import Changed
from mailrouter.shell.store.store import Store

SAMPLES = samples.load(samples.shipped() / "rules" / "samples")


@pytest.fixture(scope="module")
def shipped():
    """The shipped mailbox and rules."""
    folder = samples.shipped() / "config"
    given, _ = settings.load(folder)
    rules, problems = ruleset.build(ruleset.collect(folder, given))
    assert rules, problems
    return given.mailboxes[0], rules


@pytest.fixture
def store(store_url):
    """An empty store."""
    opened = Store(store_url)
    yield opened
    opened.close()


def considered(store, shipped, chosen):
    """Settlements of mails that were all decided before any of them is settled."""
    mailbox, rules = shipped
    store.intake.see(mailbox.name, "INBOX", 1, range(1, len(chosen) + 1))
    rows = store.intake.waiting(mailbox.name, "INBOX", 1, len(chosen))
    reference = MailboxRef(mailbox.name, mailbox.address)
    items = []
    for row, sample in zip(rows, chosen, strict=True):
        around = Surroundings(store.registry.lookup, sample.arrives, mailbox.registrars)
        reading = read(sample.raw, Limits())
        decided = consider(reading, reference, sample.arrives, rules, around)
        arrival = Arrival(row.id, reference, sample.arrives, ("seen",), sample.raw, len(sample.raw))
        items.append(settlement(decided, arrival, reading, rules, around))
    return items


def strangers(store, shipped):
    """Samples that have nothing to do with each other."""
    taken: set[str] = set()
    found = []
    for sample, item in zip(SAMPLES, considered(store, shipped, SAMPLES), strict=True):
        if taken.isdisjoint(item.lookup_keys):
            found.append(sample)
            taken |= {*item.lookup_keys, *item.entry_keys(None)}
    return found


def shown(store):
    """What the ledger shows of every mail."""
    listed = store.listing.messages()
    return sorted(
        (one.sha256, one.state, one.number or "", one.rules, [(each["kind"], each["state"]) for each in one.effects])
        for one in listed
        if one.state != "seen"
    )


def test_a_batch_comes_out_as_its_mails_one_by_one(store, shipped, tmp_path):
    """The same numbers, outcomes and effects, drafts among them."""
    other = Store(f"sqlite:///{tmp_path}/other.db")
    chosen = strangers(Store(f"sqlite:///{tmp_path}/third.db"), shipped)
    assert len(chosen) > 5
    store.settler.settle(considered(store, shipped, chosen))
    for item in considered(other, shipped, chosen):
        other.settler.settle([item])
    assert shown(store) == shown(other)
    assert any(number for _, _, number, _, _ in shown(store))
    assert [one.effect_key for one in store.drafts.all()] == [one.effect_key for one in other.drafts.all()]


def test_a_batch_with_one_letter_twice_is_not_settled(store, shipped):
    """The second was decided without knowing of the first's entry: nothing is written, no number is used."""
    twice = next(
        item for item in considered(store, shipped, SAMPLES) if any(e.kind == "register" for e in item.plan.effects)
    )
    rows = store.intake.waiting(shipped[0].name, "INBOX", 1, 2)
    batch = [replace(twice, intake_id=row.id) for row in rows]
    with pytest.raises(Changed):
        store.settler.settle(batch)
    assert shown(store) == []
    assert list(store.registry.entries()) == []


def test_a_mail_that_another_was_quicker_to_settle_is_left_out(store, shipped, tmp_path):
    """The others of its batch are settled; its own outcome stays as it is."""
    chosen = strangers(Store(f"sqlite:///{tmp_path}/other.db"), shipped)
    mails = zip(chosen, considered(Store(f"sqlite:///{tmp_path}/third.db"), shipped, chosen), strict=True)
    filed = [sample for sample, item in mails if not any(one.kind == "register" for one in item.plan.effects)]
    items = considered(store, shipped, filed)
    assert len(items) > 1
    store.settler.settle(items[:1])
    before = store.listing.messages(ids=[items[0].intake_id])
    store.settler.settle(items)
    assert store.listing.messages(ids=[items[0].intake_id]) == before
    assert len(shown(store)) == len(items)
