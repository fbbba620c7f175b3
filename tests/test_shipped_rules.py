"""The shipped rules on mails that differ from the samples in one thing."""

from dataclasses import replace

import pytest

from mailrouter import ruleset, settings
from mailrouter.core.case import MailboxRef
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.core.register import KnownEntry
from mailrouter.demo import samples
from mailrouter.shell.deciding import Surroundings, consider

SEED = next(one for one in samples.load(samples.shipped() / "rules" / "samples") if one.name == "global-alliance")
LIMITE = next(one for one in samples.load(samples.shipped() / "rules" / "samples") if one.name == "limite")
ORDER = (
    b"Palun registreerida Deltasse ministrile suunatud kiri (vastutajaks v=C3=B5ib panna minu ja kohe suunata ka "
    b"ministri n=C3=B5unikele)"
)


@pytest.fixture(scope="module")
def decided():
    """A function: a mail's bytes and what the register knows → its case, decision and effects by kind."""
    folder = samples.shipped() / "config"
    shipped, _ = settings.load(folder)
    rules, problems = ruleset.build(ruleset.collect(folder, shipped))
    assert rules, problems

    def decide(raw, known=()):
        mailbox = shipped.mailboxes[0]
        around = Surroundings(lambda _keys: tuple(known), SEED.arrives, mailbox.registrars)
        considered = consider(
            read(raw, Limits()), MailboxRef(mailbox.name, mailbox.address), SEED.arrives, rules, around
        )
        effects = {}
        for effect in considered.plan.effects:
            effects.setdefault(effect.kind, []).append(effect)
        return considered, effects

    return decide


def _ordered(words):
    return SEED.raw.replace(ORDER, words.encode())


def _addresses(effect):
    return [one.address for one in effect.to]


def test_a_letter_without_an_order_is_registered_and_reaches_the_advisers(decided):
    """A colleague passes the letter on without a word: the colleague is responsible, the advisers have it."""
    _, effects = decided(_ordered("Edastan kirja."))
    assert effects["register"][0].entry.responsible.name == "Katarina Budrik"
    assert [_addresses(one) for one in effects["forward"]] == [["adviser.one@ministry.example", "adviser.two@ministry.example"]]
    assert _addresses(effects["notify"][0]) == ["katarina.budrik@ministry.example"]


def test_an_order_that_names_others_leaves_the_advisers_theirs(decided):
    """The order names another official: both the advisers and that official get the letter, each once."""
    _, effects = decided(_ordered("Palun registreerida ja suunata Birgit Paalile teadmiseks."))
    reached = sorted(address for one in effects["forward"] for address in _addresses(one))
    assert reached == ["adviser.one@ministry.example", "adviser.two@ministry.example", "birgit.paal@ministry.example"]


def test_advisers_and_others_in_one_order_get_it_once(decided):
    """The order names the advisers and another official: one forward to all of them."""
    _, effects = decided(_ordered("Palun registreerida ja suunata ministri n=C3=B5unikele ning Rando K=C3=A4sperile."))
    assert [sorted(_addresses(one)) for one in effects["forward"]] == [
        ["adviser.one@ministry.example", "adviser.two@ministry.example", "rando.kasper@ministry.example"]
    ]


def test_an_unverified_colleague_orders_nothing(decided):
    """Our own domain in From, but our server could not confirm it: a person looks first."""
    considered, effects = decided(SEED.raw.replace(b"dmarc=pass header.from=ministry", b"dmarc=fail header.from=ministry"))
    assert considered.decision.hold.code == "no-rule"
    assert set(effects) <= {"notify", "remind", "flag"}


def test_a_letter_straight_from_the_commission_has_the_registrar(decided):
    """No colleague between: registered under the series' own responsible, the registrars are told and reminded."""
    direct = _direct(SEED.raw)
    considered, effects = decided(direct)
    assert considered.case.sender.institution == "European Commission, DG Migration and Home Affairs"
    assert effects["register"][0].entry.responsible.name == "Katrin Hantsom"
    assert _addresses(effects["notify"][0]) == _addresses(effects["remind"][0]) == ["katrin.hantsom@ministry.example"]
    assert {one.purpose for one in effects["draft"]} == {"acknowledgement", "nomination"}


def _direct(raw):
    """The Commission's own mail, as if no colleague had passed it on."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith((b"In-Reply-To", b"References", b"Received"))]
    head = b"\r\n".join(lines).replace(b"header.from=ministry.example", b"header.from=ec.europa.eu")
    head = head.replace(b"Katarina Budrik <katarina.budrik@ministry.example>", b"HOME <HOME-GLOBAL-ALLIANCE@ec.europa.eu>")
    head = head.replace(b"Subject: FW: ", b"Subject: ")
    start, end = body.index(b"Tere!"), body.index(b"Dear Sir/Madam")
    plain = body[:start] + body[end:]
    html_start = plain.index(b"<p class", plain.index(b"WordSection1"))
    html_end = plain.index(b"Dear Sir/Madam", html_start)
    return head + b"\r\n\r\n" + plain[:html_start] + b"<p>" + plain[html_end:]


def test_a_restricted_letter_goes_nowhere_even_when_ordered(decided):
    """A colleague orders a LIMITE letter to the advisers: it stays with the registrars, and the colleague is told so."""
    forwarded = LIMITE.raw.replace(b"council.example; dmarc=pass header.from=council.example", b"x; dmarc=pass header.from=ministry.example")
    forwarded = forwarded.replace(b"From: Frontiers Secretariat <frontiers@council.example>", b"From: Birgit Paal <birgit.paal@ministry.example>")
    forwarded = forwarded.replace(
        b"Dear colleagues,",
        b"Palun registreerida ja suunata ministri n=C3=B5unikele.\r\n\r\n"
        b"From: Frontiers Secretariat <frontiers@council.example>\r\nSent: Wednesday, June 12, 2024 10:02 AM\r\n"
        b"To: Birgit Paal <birgit.paal@ministry.example>\r\nSubject: Considerations\r\n\r\nDear colleagues,",
    )
    considered, effects = decided(forwarded.replace(b"Transfer-Encoding: 7bit", b"Transfer-Encoding: quoted-printable"))
    assert considered.case.forwarder.name == "Birgit Paal"
    assert effects["register"][0].entry.access == "AK"
    assert "forward" not in effects
    assert [_addresses(one) for one in effects["notify"]] == [["birgit.paal@ministry.example"], ["katrin.hantsom@ministry.example"]]


def test_a_second_order_for_the_advisers_sends_them_no_second_copy(decided):
    """The letter is registered; another colleague asks for the advisers again: linked, filed, nothing forwarded."""
    first, _ = decided(SEED.raw)
    entry = replace(next(one for one in first.plan.effects if one.kind == "register").entry, number="5-4/22-1")
    known = KnownEntry(entry, first.lookup_keys, first.lookup_keys)
    second = SEED.raw.replace(b"Katarina Budrik <katarina.budrik@", b"Julika Luts <julika.luts@").replace(b"5d1c7e20", b"6d1c7e20")
    considered, effects = decided(second, [known])
    assert considered.case.thread.relation == "duplicate"
    assert "forward" not in effects
    assert "register" not in effects
    assert "draft" not in effects
    assert effects["move"][0].folder == "Registered"
