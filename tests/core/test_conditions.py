"""What a rule may ask of a mail."""

from dataclasses import replace

import pytest

from mailrouter.core.letter.letters import Ask, Letter, Party
from mailrouter.core.message import Address, Attachment
from mailrouter.core.rules import decide

RULE = "- rule: asked\n  when: {when}\n  then:\n    - move: Found\n"


@pytest.fixture
def holds(build_rules, case):
    """Whether a condition holds for the case, or for another."""

    def ask(when, other=None):
        decision = decide(other or case, build_rules(RULE.format(when=when)))
        return decision.rules == ("asked",)

    return ask


@pytest.mark.parametrize(
    "when",
    [
        "{nature: person}",
        "{nature: [list, person]}",
        "{sender.verified: true}",
        "{mailbox: registry}",
        "{mailbox: {address: info@ministry.example}}",
        "{message.subject: {contains: GLOBAL alliance}}",
        "{message.subject: {starts_with: 'fw:'}}",
        "{message.subject: {ends_with: [letter, ALLIANCE]}}",
        "{message.subject: {matches: '^FW: .*Alliance$'}}",
        "{message.text: {contains: noun}}",
        "{message.text: {contains: {stem: kontaktisik}}}",
        "{message.text: {contains: {stem: [volikiri, kontaktisik]}}}",
        "{incoming.from: home-global-alliance@EC.europa.eu}",
        "{incoming.from: {domain: ec.europa.eu}}",
        "{incoming.from: {subdomain: europa.eu}}",
        "{incoming.from: {domain: ec.europa.eu, contains: global}}",
        "{forwarder: {person: Katarina Budrik}}",
        "{sender: {unit: välissuhete osakond}}",
        "{sender: {group: registraatorid}}",
        "{letter.addressee: {role: minister}}",
        "{letter.addressee: {person: Lauri Läänemets}}",
        "{letter.addressee: Lauri Läänemets}",
        "{letter.asks: nominate}",
        "{letter.asks: {contains: person of contact}}",
        "{letter: {addressee: {role: minister}, asks: nominate, language: [en, fr]}}",
        "{letter.dated: {after: 2024-02-27, before: 2024-02-29}}",
        "{letter.dated: {on: 2024-02-28}}",
        "{letter.reference: null}",
        "{letter.reference: {exists: false}}",
        "{instruction.forward_to: {exists: true}}",
        "{instruction.forward_to: {count: 1}}",
        "{letters: {count: {at_least: 1, at_most: 2}}}",
        "{attachments: {name: {ends_with: .pdf}, size: {more_than: 100 kB}}}",
        "{attachments: {size: {less_than: 1 MB}}}",
        "{attachments: {not: {name: {contains: zip}}}}",
        "{received: {weekday: [thursday, friday]}}",
        '{received: {time: "08:00-17:00"}}',
        '{received: {time: "12:00-08:00"}}',
        "{received: {working_day: true}}",
        "{thread.relation: new}",
        "{thread.entry: {exists: false}}",
        "{forwarded: false}",
        "{all: [{nature: person}, {not: {nature: list}}]}",
        "{any: [{nature: list}, {letter.asks: nominate}]}",
        "{not: [{nature: list}, {sender.verified: true}]}",
        "{message.subject: {any: [{contains: brochure}, {contains: alliance}]}}",
        "always",
    ],
)
def test_condition_holds(holds, when):
    """Each of these is true of the Commission's letter as a colleague passed it on."""
    assert holds(when)


@pytest.mark.parametrize(
    "when",
    [
        "{nature: [list, bounce]}",
        "{sender.verified: false}",
        "{message.subject: Global Alliance}",
        "{message.text: {contains: {stem: kontakt}}}",
        "{message.text: {contains: {stem: nõunikele ja}}}",
        "{incoming.from: {domain: europa.eu}}",
        "{incoming.from: {subdomain: a.europa.eu}}",
        "{incoming.from: {subdomain: opa.eu}}",
        "{incoming.from: {domain: ec.europa.eu, contains: somebody}}",
        "{sender: {person: Lauri Läänemets}}",
        "{incoming.from: {group: registraatorid}}",
        "{letter.author: {role: minister}}",
        "{letter: {addressee: {role: minister}, asks: reply}}",
        "{letter.dated: {before: 2024-02-28}}",
        "{letter.deadline: {within: 5 working days}}",
        "{attachments: {name: {ends_with: .pdf}, size: {more_than: 1 MB}}}",
        "{attachments: {count: 0}}",
        '{received: {time: "14:00-17:00"}}',
        "{received: {working_day: false}}",
        "{instruction: {exists: false}}",
        "{not: {letter.asks: nominate}}",
    ],
)
def test_condition_does_not_hold(holds, when):
    """Each of these is false of it."""
    assert not holds(when)


def test_one_letter_meets_all_parts(holds, case):
    """Two letters that each meet half of the conditions do not add up."""
    other = Letter(
        path=("b.pdf",), author=Party(), addressee=Party(), asks=(Ask("reply", "Please reply."),), language="en"
    )
    both = replace(case, letters=(*case.letters, other))
    assert holds("{letter.asks: reply}", both)
    assert not holds("{all: [{letter.asks: reply}, {letter.addressee: {role: minister}}]}", both)
    assert holds("{all: [{letters.asks: reply}, {letters.addressee: {role: minister}}]}", both)


def test_one_attachment_meets_all_parts(holds, case):
    """Parts under one path are about the same attachment."""
    small = Attachment("note.txt", "text/plain", 10, ("note.txt",), inline=False)
    two = replace(case, attachments=(*case.attachments, small))
    assert not holds("{attachments: {name: note.txt, size: {more_than: 100 kB}}}", two)


def test_display_name_alone_is_nobody(holds, case):
    """Somebody who only writes a colleague's name above another address is not that colleague."""
    fake = replace(case, sender=replace(case.sender, address="katarina@gmail.example", verified=False))
    assert not holds("{sender: {person: Katarina Budrik}}", fake)


def test_role_by_holder_of_a_mailbox(holds, case):
    """A role asks for its holder where there is an address."""
    minister = replace(case, oldest=replace(case.oldest, author=Address("", "Minister@ministry.example")))
    assert holds("{oldest.from: {role: minister}}", minister)


@pytest.mark.parametrize(("deadline", "met"), [("2024-03-07", True), ("2024-03-08", False), ("2024-02-28", False)])
def test_period_counts_working_days(holds, case, deadline, met):
    """Five working days from Thursday 29 February end on Thursday 7 March."""
    dated = replace(case, letters=(replace(case.letters[0], deadline=deadline),))
    assert holds("{letter.deadline: {within: 5 working days}}", dated) is met


def test_trace_shows_the_words_of_the_mail(build_rules, case):
    """The trace has what the rule wanted and where in the mail it was found."""
    long = replace(
        case, message=replace(case.message, text="Tere! " + "a " * 200 + "palume kontaktisikut nimetada " + "b " * 200)
    )
    rules = build_rules(RULE.format(when="{message.text: {contains: {stem: kontaktisik}}}"))
    [line] = decide(long, rules).trace[0].conditions
    assert (line.condition, line.wanted, line.matched) == ("message.text", {"contains": {"stem": "kontaktisik"}}, True)
    assert "palume kontaktisikut nimetada" in line.found
    assert len(line.found) < 200


def test_trace_says_why_not(build_rules, case):
    """Asked for everything, the trace has the rules that do not match, and what was found instead."""
    rules = build_rules(RULE.format(when="{all: [{nature: list}, {not: {letter.addressee: {role: minister}}}]}"))
    [line] = decide(case, rules, full=True).trace
    assert not line.matched
    first, second = line.conditions
    assert (first.condition, first.wanted, first.found, first.matched) == ("nature", "list", "person", False)
    assert (second.condition, second.matched) == ("not letter.addressee", False)
    assert second.found == "Lauri Läänemets, Minister of Interior, Estonia"
