"""Which rules apply, and when a person must look first."""

import json
import locale
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mailrouter import ruleset
from mailrouter.core.case import CASE, Thread
from mailrouter.core.conditions.interface import Facts
from mailrouter.core.language import fold
from mailrouter.core.letter.letters import Party
from mailrouter.core.outcomes import Hold
from mailrouter.core.people import Person
from mailrouter.core.rules import decide


def rule(name, when="always", then="move: Found", extra=""):
    return f"- rule: {name}\n  when: {when}\n  then:\n    - {then}\n{extra}"


def test_every_matching_rule_applies_in_order(build_rules, case):
    """Rules are tried in order, and all that match apply."""
    rules = build_rules(rule("b", then="flag: b") + rule("no", "{nature: list}") + rule("a", then="flag: a"))
    assert decide(case, rules).rules == ("b", "a")


def test_stop_ends_the_search(build_rules, case):
    """After a rule that says stop, no other is tried, and the trace says so."""
    rules = build_rules(
        rule("first", "{nature: person}", then="flag: a", extra="  stop: true\n")
        + rule("second", "{sender.verified: true}")
    )
    decision = decide(case, rules, full=True)
    assert decision.rules == ("first",)
    assert decision.trace[1].conditions[0].condition == "stop"


def test_stop_of_a_rule_that_does_not_match(build_rules, case):
    """A stop counts only where its rule matches."""
    rules = build_rules(rule("first", "{nature: list}", extra="  stop: true\n") + rule("second"))
    assert decide(case, rules).rules == ("second",)


def test_files_are_read_by_name(good_files, case):
    """The file's name gives the order, whatever order the files come in."""
    files = {name: text for name, text in good_files.items() if not name.startswith("rules/")}
    late = {"rules/20.yaml": rule("late", then="flag: a"), "rules/10.yaml": rule("early", then="flag: b")}
    built, _ = ruleset.build({**late, **files})
    assert decide(case, built).rules == ("early", "late")


def test_shadow_is_recorded_and_does_nothing(build_rules, case):
    """A shadow rule stands in the trace, not among the rules that apply, and stops nothing."""
    rules = build_rules(rule("tried out", extra="  shadow: true\n  stop: true\n") + rule("real", then="flag: a"))
    decision = decide(case, rules)
    assert decision.rules == ("real",)
    assert [(line.rule, line.shadow, line.matched) for line in decision.trace] == [
        ("tried out", True, True),
        ("real", False, True),
    ]


def test_only_a_shadow_rule_is_no_rule(build_rules, case):
    """A mail that only a shadow rule matches waits for a person."""
    assert decide(case, build_rules(rule("tried out", extra="  shadow: true\n"))).hold.code == "no-rule"


@pytest.mark.parametrize(
    ("extra", "applies"),
    [
        ("  enabled: false\n", False),
        ("  valid_from: 2024-03-01\n", False),
        ("  valid_from: 2024-02-29\n", True),
        ("  valid_until: 2024-02-28\n", False),
        ("  valid_until: 2024-02-29\n", True),
    ],
)
def test_rule_has_its_time(build_rules, case, extra, applies):
    """A rule counts from its first to its last day of receipt, both included."""
    assert (decide(case, build_rules(rule("timed", extra=extra))).rules == ("timed",)) is applies


def test_no_rule_holds(build_rules, case):
    """What no rule knows waits for a person."""
    decision = decide(case, build_rules(rule("other", "{nature: list}")))
    assert (decision.rules, decision.hold.code) == ((), "no-rule")


def test_two_registers_hold_with_both_named(build_rules, case):
    """Two rules that register the same mail contradict each other."""
    rules = build_rules(rule("one", then='register: "5-4"') + rule("two", then='register: "5-5"'))
    hold = decide(case, rules).hold
    assert hold.code == "conflict"
    assert "'one' (rules/10-test.yaml:1)" in hold.reason
    assert "'two' (rules/10-test.yaml:5)" in hold.reason


def test_two_moves_hold_unless_they_agree(build_rules, case):
    """Two folders are a contradiction, the same folder twice is none."""
    assert decide(case, build_rules(rule("one") + rule("two", then="move: Elsewhere"))).hold.code == "conflict"
    assert decide(case, build_rules(rule("one") + rule("two"))).hold is None


def test_two_responsibles_hold(build_rules, case):
    """Two rules that assign different persons contradict each other."""
    rules = build_rules(rule("one", then="assign: Katarina Budrik") + rule("two", then="assign: Ave Kaldmaa"))
    assert decide(case, rules).hold.code == "conflict"


def test_rule_may_hold(build_rules, case):
    """A rule's own reason reaches the registrar."""
    hold = decide(case, build_rules(rule("careful", then="hold: ask the lawyer"))).hold
    assert (hold.code, "ask the lawyer" in hold.reason) == ("rule", True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: {"holds": (Hold("encrypted", "a part is encrypted"),)}, "encrypted"),
        (lambda c: {"nature": "loop"}, "loop"),
        (lambda c: {"instruction": replace(c.instruction, hold=True, unclear="register or not?")}, "unclear"),
        (lambda c: {"thread": Thread(conflict="same reference, different documents")}, "conflict"),
    ],
)
def test_case_holds_whatever_the_rules_say(build_rules, case, change, code):
    """What was found wrong while reading waits for a person though rules match."""
    decision = decide(replace(case, **change(case)), build_rules(rule("any")))
    assert decision.hold.code == code
    assert decision.rules == ("any",)


def test_marked_letter_is_not_registered_as_public(build_rules, case):
    """LIMITE on the letter blocks Avalik, and a rule that says AK goes on."""
    marked = replace(case, letters=(replace(case.letters[0], marking="LIMITE"),))
    public = rule("minister", then='register: {series: "5-4", access: Avalik}')
    assert decide(marked, build_rules(public)).hold.code == "restricted"
    restricted = rule("minister", then='register: {series: "5-5", access: AK, access_basis: AvTS § 35 lg 3}')
    assert decide(marked, build_rules(restricted)).hold is None


def test_nobody_responsible_holds(build_rules, outside):
    """A letter from outside has no forwarder: without a responsible it waits for a person."""
    assert decide(outside, build_rules(rule("citizen", then='register: "5-4"'))).hold.code == "unclear"
    assert decide(outside, build_rules(rule("citizen", then='register: "5-5"'))).hold is None  # the series names one


def test_unknown_name_in_an_order_holds(build_rules, case):
    """A name that a colleague wrote and nobody has is not guessed."""
    unknown = replace(case, instruction=replace(case.instruction, forward_to=("Pille Puravik",)))
    hold = decide(unknown, build_rules(rule("order", then="forward: {to: =instruction.forward_to}"))).hold
    assert (hold.code, "Pille Puravik" in hold.reason) == ("unclear", True)


def test_letter_of_the_actions_is_the_one_that_matched(build_rules, case):
    """`letter` in actions is the first letter that met the rule's conditions."""
    annex = replace(case.letters[0], path=("annex.pdf",), asks=())
    decision = decide(
        replace(case, letters=(annex, *case.letters)), build_rules(rule("asked", "{letter.asks: nominate}"))
    )
    assert decision.letters == {"asked": 1}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), verified=st.booleans(), nature=st.sampled_from(["person", "list", "automatic"]))
def test_decision_is_the_same_again(good_files, case, text, verified, nature):
    """The same case, stored and read again, under the rules built from other dict orders and locale: the same trace."""
    mail = replace(case.message, subject=text, text=text)
    one = replace(case, message=mail, nature=nature, sender=replace(case.sender, verified=verified))
    again = CASE.validate_json(json.dumps(dict(reversed(json.loads(CASE.dump_json(one, by_alias=True)).items()))))
    first = decide(one, ruleset.build(good_files)[0], full=True)
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "C")
        second = decide(again, ruleset.build(dict(reversed(good_files.items())))[0], full=True)
    finally:
        locale.setlocale(locale.LC_ALL, before)
    assert first == second


def test_fast_and_traced_answers_agree(good_files, case, outside):
    """Without the trace the same is decided."""
    built, _ = ruleset.build(good_files)
    for one in (case, outside, replace(case, letters=()), replace(case, forwarder=Person("X", "x@ministry.example"))):
        full, short = decide(one, built, full=True), decide(one, built, traced=False)
        assert (full.rules, full.hold, full.letters) == (short.rules, short.hold, short.letters)
        assert tuple(line.rule for line in full.trace if line.matched) == short.rules


def test_two_wants_of_one_path_are_both_asked(build_rules, case):
    """Of many rules that want two words of the subject, none applies to a mail that has one of them."""
    both = "{all: [{message.subject: {contains: global}}, {message.subject: {contains: teabenõue}}]}"
    one = rule("one", "{message.subject: {contains: global}}", then="flag: one")
    rules = build_rules("".join(rule(f"both {n}", both, then=f"flag: f{n}") for n in range(5)) + one)
    assert decide(case, rules).rules == ("one",)


MANY = [
    "nature: person",
    "nature: {not: list}",
    "sender.verified: true",
    "thread.relation: [reply, follow-up]",
    "forwarder: {exists: true}",
    "forwarder: null",
    "message.subject: {contains: global}",
    "message.subject: {contains: [teabenõue, alliance]}",
    "message.subject: {starts_with: 'fw:'}",
    "message.subject: {not: {contains: teabenõue}}",
    "message.text: {contains: {stem: [koopia, kontaktisik]}}",
    "incoming.from: {domain: ec.europa.eu}",
    "incoming.from: {subdomain: [europa.eu, example]}",
    "letter.addressee: {role: minister}",
    "letter.addressee: {not: {role: minister}}",
    "letter.asks: nominate",
    "letter.asks: [reply, inform]",
    "letter.asks: {not: nominate}",
    "letter.language: [et, fr]",
    "letter.text: {contains: smuggling}",
    "attachments: {name: {ends_with: .pdf}, size: {more_than: 1 kB}}",
]
_PARTS = st.tuples(st.sampled_from(["", "not: "]), st.lists(st.sampled_from(MANY), min_size=1, max_size=3))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), wants=st.lists(st.lists(_PARTS, min_size=1, max_size=3), min_size=1, max_size=12))
def test_rules_apply_as_their_traces_say(good_files, case, outside, data, wants):
    """Of many rules the very ones apply whose conditions, asked one by one, all hold, and so their traces say."""
    written_rules = [written(number, want) for number, want in enumerate(wants)]
    rules = possible(good_files, written_rules)
    other = replace(case.letters[0], language="et", asks=(), text="Muu kiri.", addressee=Party())
    letters = data.draw(st.lists(st.sampled_from([case.letters[0], other]), max_size=3))
    mail = replace(data.draw(st.sampled_from([case, outside])), letters=tuple(letters))
    decision = decide(mail, rules, full=True)
    assert decision.rules == tuple(one.name for one in rules.rules if any(asked(one.when, mail)))
    assert decision.rules == tuple(line.rule for line in decision.trace if line.matched)
    assert decide(mail, rules, traced=False).letters == decision.letters
    for line in decision.trace:
        told = told_one_by_one(rules.lines[line.rule], mail)
        best = max(sum(condition.matched for condition in conditions) for conditions in told)
        assert line.conditions in ([told[decision.letters[line.rule] or 0]] if line.matched else told)
        assert line.matched or sum(condition.matched for condition in line.conditions) == best


def asked(when, mail):
    """For each letter whether the conditions hold, nothing looked up or remembered."""
    views = Facts.of(mail).views
    for index, view in enumerate(views):
        facts = Facts.of(mail)
        facts.letter = facts.letters[index]
        yield when.holds(view, facts)


def told_one_by_one(lines, mail):
    """The lines of a trace with each letter, each condition asked by itself."""
    told = []
    for index, view in enumerate(Facts.of(mail).views):
        conditions = []
        for line in lines:
            facts = Facts.of(mail)
            facts.letter = facts.letters[index]
            conditions.append(replace(line, known={}).told(view, facts, met=False))
        told.append(tuple(conditions))
    return told


def possible(good_files, rules):
    """The set of those rules that do not contradict themselves."""
    _, problems = ruleset.build({**good_files, "rules/10-test.yaml": "".join(rules)})
    never = {problem.line for problem in problems if problem.severity == "error"}
    starts = [1 + sum(earlier.count("\n") for earlier in rules[:place]) for place in range(len(rules))]
    kept = [one for one, start in zip(rules, starts, strict=True) if start not in never]
    assume(kept)
    built, _ = ruleset.build({**good_files, "rules/10-test.yaml": "".join(kept)})
    return built


def written(number, want):
    """A rule that wants all of these parts; some are wanted together, some denied together."""
    together = [", ".join(f"{{{condition}}}" for condition in conditions) for _, conditions in want]
    parts = [
        f"{{{no}{{all: [{some}]}}}}" if no else f"{{all: [{some}]}}"
        for (no, _), some in zip(want, together, strict=True)
    ]
    listed = "".join(f"      - {part}\n" for part in parts)
    return f"- rule: r{number}\n  when:\n    all:\n{listed}  then:\n    - flag: f{number}\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text() | st.text(alphabet="aZ äÕÜšЖй\u0301ﬁ℃İß한—“", min_size=1))
def test_words_are_folded_alike_everywhere(case, text):
    """What conditions compare is what `fold` makes of a text, whatever its letters."""
    assert Facts.of(case).fold(text) == fold(text)
