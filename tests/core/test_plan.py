"""What a decision comes to: effects, their texts, their times."""

from dataclasses import replace
from datetime import datetime

import pytest

from mailrouter import ruleset
from mailrouter.core.case import Thread
from mailrouter.core.effects import EFFECT, OWN_DATE, OWN_NUMBER
from mailrouter.core.letter.letters import Event
from mailrouter.core.message import Address
from mailrouter.core.outcomes import Hold
from mailrouter.core.plan import fill, hold_due, plan
from mailrouter.core.rules import decide
from mailrouter.core.sandbox import RenderError

REGISTRARS = (Address("Katarina Budrik", "katarina.budrik@ministry.example"),)


def rule(name, *then, when="always"):
    actions = "".join(f"    - {action}\n" for action in then)
    return f"- rule: {name}\n  when: {when}\n  then:\n{actions}"


@pytest.fixture
def planned(now):
    def run(case, rules, **given):
        return plan(decide(case, rules), case, rules, now, **given)

    return run


@pytest.fixture
def filled(now, planned):
    """The plan filled under the number 5-4/22-1."""

    def run(case, rules, **given):
        made = planned(case, rules, **given)
        entries = [effect.entry for effect in made.effects if effect.kind == "register"]
        entry = (
            replace(entries[0], number="5-4/22-1", counter=22, suffix=1, registered=now.isoformat())
            if entries
            else None
        )
        return fill(made, case, rules, entry=entry, now=now)

    return run


@pytest.fixture
def sound(good_files):
    return ruleset.build(good_files)[0]


def by_kind(plan_):
    return {effect.kind: effect for effect in plan_.effects}


def test_commission_letter_comes_out_whole(filled, case, sound):
    """Registered, forwarded to the advisers, two drafts threaded to the Commission's mail, reminded, filed last."""
    case = replace(case, letters=(replace(case.letters[0], subject="Global Alliance to Counter Migrant Smuggling"),))
    effects = filled(case, sound).effects
    assert [effect.kind for effect in effects] == ["register", "forward", "draft", "draft", "remind", "move"]
    register, forward, acknowledgement, nomination, remind, move = effects
    entry = register.entry
    assert (entry.title, entry.function, entry.series, entry.file) == (
        "Follow-up on Global Alliance",
        "5",
        "5-4",
        "5-4/2024",
    )
    assert (entry.access, entry.arrival, entry.sender_date, entry.due) == (
        "Avalik",
        "e-post",
        "2024-02-28",
        "2024-04-01",
    )
    assert (entry.sender.institution, entry.sender.name) == ("European Commission", "HOME GLOBAL ALLIANCE")
    assert entry.responsible.name == "Katarina Budrik"
    assert [one.address for one in forward.to] == ["ave.kaldmaa@ministry.example", "tonu.saarepuu@ministry.example"]
    assert "5-4/22-1, tähtaeg esmaspäev, 1. aprill 2024" in forward.content.text
    for draft in (acknowledgement, nomination):
        assert [one.address for one in draft.to] == ["HOME-GLOBAL-ALLIANCE@ec.europa.eu"]
        assert (draft.in_reply_to, draft.references) == (
            "<one@ec.europa.eu>",
            ("<old@ec.europa.eu>", "<one@ec.europa.eu>"),
        )
    assert acknowledgement.content.text == "We received your letter of 28 February 2024, our number 5-4/22-1."
    assert (acknowledgement.answers, acknowledgement.content.html) == (False, "<p>Follow-up on Global Alliance</p>")
    assert nomination.answers
    assert nomination.content.text.startswith(f"{OWN_NUMBER} {OWN_DATE}: Liis Tammemägi, rändepoliitika nõunik")
    assert nomination.content.subject == "Re: Follow-up on Global Alliance"
    assert (nomination.needs, nomination.approver) == ((), "Katarina Budrik")
    assert remind.at == "2024-03-26T09:00:00+02:00"  # three working days before Monday 1 April, Good Friday between
    assert remind.content.text == "5-4/22-1 is due 2024-04-01"
    assert move.folder == "Registered"


def test_plan_is_the_same_again_with_stable_unique_keys(planned, case, sound):
    """The same decision gives the same effects; each has a key of its own."""
    first, second = planned(case, sound), planned(case, sound)
    assert first == second
    keys = [effect.key for effect in first.effects]
    assert len(set(keys)) == len(keys)
    assert [EFFECT.validate_json(EFFECT.dump_json(effect)) for effect in first.effects] == list(first.effects)


def test_nobody_to_name_leaves_the_draft_waiting(filled, case, sound):
    """Without a nominee the draft is made, and says what a person must fill."""
    other = replace(case, letters=(replace(case.letters[0], text="About fishing."),))
    nomination = filled(other, sound).effects[3]
    assert nomination.needs == ("nominee",)
    assert "{nominee.name}" in nomination.content.text


def test_nominee_is_presented_in_the_letters_language(filled, case, good_files):
    """The post stands in the answer's language where the directory has it."""
    people = good_files["config/people.yaml"].replace(
        "    organisation: Siseministeerium\n",
        "    organisation: Siseministeerium\n    translated: [{language: en, job: Adviser on migration policy}]\n",
    )
    template = good_files["templates/nomination.txt.j2"]
    files = {**good_files, "config/people.yaml": people, "templates/nomination.et.txt.j2": template}
    built, problems = ruleset.build({**files, "templates/nomination.txt.j2": f"---\nlanguage: en\n---\n{template}"})
    assert built is not None, problems
    assert "Adviser on migration policy" in filled(case, built).effects[3].content.text
    estonian = replace(case, letters=(replace(case.letters[0], language="et"),))
    assert "rändepoliitika nõunik" in filled(estonian, built).effects[3].content.text


def test_letter_is_answered_in_its_language(filled, case, sound):
    """A template has a variant for the letter's language, else the one without a language."""
    for language, words in (("et", "Saime Teie kirja, 28. veebruar 2024"), ("fr", "We received your letter")):
        letter = replace(case.letters[0], language=language)
        text = filled(replace(case, letters=(letter,)), sound).effects[2].content.text
        assert text.startswith(words)


def test_hold_tells_reminds_and_flags_only(filled, case, sound):
    """A held mail does nothing but call the registrars, before the law's next working day ends."""
    held = replace(case, holds=(Hold("encrypted", "letter.pdf is encrypted", ("letter.pdf",)),))
    effects = filled(held, sound, registrars=REGISTRARS).effects
    assert [effect.kind for effect in effects] == ["notify", "remind", "flag"]
    notify, remind, flag = effects
    assert "letter.pdf is encrypted" in notify.content.text
    assert (remind.at, remind.until) == ("2024-03-01T13:00:00+02:00", "released")
    assert flag.flags == ("\\Flagged",)


def test_hold_has_a_template_of_its_own(filled, case, build_rules):
    """templates/hold.txt.j2 speaks for a hold where there is one."""
    template = '---\nsubject: "Ootab: {{ message.subject }}"\n---\n{{ hold.code }}: {{ hold.reason }}\n'
    rules = build_rules(rule("careful", "hold: ask the lawyer"), hold__txt__j2=template)
    notify = filled(case, rules, registrars=REGISTRARS).effects[0]
    assert notify.content.subject == "Ootab: FW: Follow-up on Global Alliance"
    assert "ask the lawyer" in notify.content.text


def test_reminder_of_a_late_hold_is_never_in_the_past(case, sound, planned):
    """A mail decided days after it came is reminded of at once."""
    late = datetime.fromisoformat("2024-03-05T10:00:00+02:00")
    held = replace(case, holds=(Hold("unreadable", "x"),))
    made = plan(decide(held, sound), held, sound, late, registrars=REGISTRARS)
    assert by_kind(made)["remind"].at == late.isoformat()
    assert hold_due(held, late).isoformat() == "2024-03-01T17:00:00+02:00"


def test_rule_that_holds_may_tell_others(filled, case, build_rules):
    """Beside `hold`, a rule's notices go out; other rules' effects do not."""
    rules = build_rules(
        rule("careful", "hold: ask", "notify: {to: Ave Kaldmaa, text: please look}")
        + rule("usual", "forward: {to: Ave Kaldmaa}")
    )
    effects = filled(case, rules).effects
    assert [(effect.kind, effect.rule) for effect in effects] == [("flag", ""), ("notify", "careful")]


@pytest.fixture
def duplicate(case, known_entry):
    return replace(case, thread=Thread("duplicate", known_entry))


def test_duplicate_is_linked_and_nothing_is_done_twice(planned, duplicate, sound):
    """The same letter again gets no second number, draft, reminder or forward; the mail is filed."""
    made = planned(duplicate, sound)
    assert made.link == "5-4/22-1"
    assert [effect.kind for effect in made.effects] == ["move"]
    assert any("linked" in note for note in made.notes)


def test_duplicates_own_instruction_is_carried_out(planned, duplicate, build_rules):
    """What the second colleague orders is done, and the colleague is told."""
    rules = build_rules(
        rule(
            "usual",
            'register: {series: "5-4"}',
            "forward: {to: =instruction.forward_to}",
            "notify: {to: =forwarder, text: done}",
        )
    )
    assert [effect.kind for effect in planned(duplicate, rules).effects] == ["forward", "notify"]


def test_rule_about_duplicates_is_carried_out_whole(planned, duplicate, build_rules):
    """A rule that itself asks for duplicates means them."""
    rules = build_rules(
        rule("again", 'register: "5-4"', "forward: {to: Ave Kaldmaa}", when="{thread.relation: duplicate}")
    )
    assert [effect.kind for effect in planned(duplicate, rules).effects] == ["forward"]


def test_reply_joins_the_matter(planned, case, known_entry, build_rules):
    """A letter that goes on with a registered matter takes its series and file, whatever the rule names."""
    follow_up = replace(case, thread=Thread("follow-up", replace(known_entry, file="5-4/2023"), related=("5-5/3-1",)))
    entry = planned(follow_up, build_rules(rule("any", 'register: "5-5"'))).effects[0].entry
    assert (entry.series, entry.file) == ("5-4", "5-4/2023")
    assert [(one.kind, one.number) for one in entry.relations] == [("initial", "5-4/22-1"), ("related", "5-5/3-1")]


@pytest.mark.parametrize(
    ("letter", "ordered", "due"),
    [
        ({"deadline": "2024-03-15"}, None, "2024-03-15"),
        ({"deadline": "2024-03-15"}, "2024-03-08", "2024-03-15"),
        ({"deadline_raw": "15 tööpäeva jooksul"}, None, "2024-03-21"),
        ({}, "2024-03-08", "2024-03-08"),
        ({}, None, "2024-04-01"),
        ({"asks": ()}, None, None),
    ],
)
def test_due_date(planned, case, build_rules, letter, ordered, due):
    """The letter's own deadline, its period, the colleague's order, the usual term; nothing asked, nothing due."""
    changed = replace(
        case,
        letters=(replace(case.letters[0], **letter),),
        instruction=replace(case.instruction, deadline=ordered),
    )
    assert planned(changed, build_rules(rule("any", 'register: "5-4"'))).effects[0].entry.due == due


def test_term_of_the_rule(planned, outside, build_rules):
    """A rule names the term: five working days from registration."""
    rules = build_rules(
        rule("request", 'register: {series: "5-5", term: request, kind: information-request, private: true}')
    )
    entry = planned(outside, rules).effects[0].entry
    assert (entry.due, entry.kind, entry.private) == ("2024-03-07", "information-request", True)


def test_reminder_without_a_due_date_is_left_out(filled, case, build_rules):
    """A letter of thanks has no due date: nobody is reminded, and the plan says why."""
    thanks = replace(case, letters=(replace(case.letters[0], asks=()),))
    made = filled(
        thanks, build_rules(rule("any", 'register: "5-4"', "remind: {to: Ave Kaldmaa, before_due: 2 days, text: due}"))
    )
    assert [effect.kind for effect in made.effects] == ["register"]
    assert any("no due date" in note for note in made.notes)


def test_notice_lists_what_was_done(filled, case, build_rules):
    """The notice speaks of the number, the drafts and the due date, wherever it stands in the rules."""
    text = "{{ entry.number }} {{ due }}:{% for draft in drafts %} {{ draft.purpose }} to {{ draft.to }}{% endfor %}; {{ effects | length }}"
    rules = build_rules(
        rule("tell", f'notify: {{to: =forwarder, text: "{text}"}}')
        + rule("act", 'register: "5-4"', 'draft: {text: "Thank you", purpose: acknowledgement}')
    )
    notify = by_kind(filled(case, rules))["notify"]
    assert notify.content.text == "5-4/22-1 2024-04-01: acknowledgement to HOME-GLOBAL-ALLIANCE@ec.europa.eu; 2"
    assert [one.address for one in notify.to] == ["katarina.budrik@ministry.example"]


def test_words_of_a_mail_are_never_rendered(filled, case, build_rules):
    """A subject that looks like a template stays as it is, and no line break gets into a header."""
    sly = replace(case, message=replace(case.message, subject="FW: {{ 7 * 7 }}\r\nBcc: x@evil.example"))
    rules = build_rules(rule("any", "forward: {to: Ave Kaldmaa, subject: =message.subject, note: =message.subject}"))
    content = filled(sly, rules).effects[0].content
    assert content.subject == "FW: {{ 7 * 7 }} Bcc: x@evil.example"
    assert content.text.startswith("FW: {{ 7 * 7 }}")


def test_folder_may_be_a_template(filled, case, build_rules):
    """A folder's name may have the entry's parts."""
    rules = build_rules(rule("any", 'register: "5-4"', "move: \"Registered/{{ entry.file | replace('/', '-') }}\""))
    assert by_kind(filled(case, rules))["move"].folder == "Registered/5-4-2024"


def test_failing_text_stops_everything(filled, case, build_rules):
    """A text that cannot be rendered is said, naming the template; nothing goes out half."""
    loop = "{% for a in letter.asks %}" * 3 + "{{ letter.text * 2 }}" + "{% endfor %}" * 3
    rules = build_rules(rule("any", "forward: {to: Ave Kaldmaa, note: bad.txt.j2}"), bad__txt__j2=loop)
    with pytest.raises(RenderError, match=r"bad\.txt\.j2"):
        filled(case, rules)


def test_shadow_effects_are_kept_apart(planned, case, build_rules):
    """What a shadow rule would have done is recorded beside the effects."""
    rules = build_rules(rule("real", "flag: a") + rule("tried", "move: Elsewhere") + "  shadow: true\n")
    made = planned(case, rules)
    assert [effect.kind for effect in made.effects] == ["flag"]
    assert [effect.folder for effect in made.shadow] == ["Elsewhere"]


def test_calendar_has_the_exact_events(filled, case, build_rules):
    """Events that are exact to the day go out as a calendar; without any, nothing is sent."""
    rules = build_rules(rule("any", "calendar: {to: Ave Kaldmaa, text: The dates.}", "flag: a"))
    assert [effect.kind for effect in filled(case, rules).effects] == ["flag"]
    event = Event("23-25 April 2024", "2024-04-23", "2024-04-25", "Regional conference", "Mombasa, Kenya")
    dated = replace(case, letters=(replace(case.letters[0], events=(event,)),))
    ics = by_kind(filled(dated, rules))["calendar"].ics
    assert "DTSTART;VALUE=DATE:20240423" in ics
    assert "Regional conference" in ics
