"""Two rule sets over the same cases."""

from dataclasses import replace

from mailrouter import ruleset
from mailrouter.core.backtest import Tally, compare

OLD = (
    "- rule: letters\n  when: {letter.asks: nominate}\n  then:\n    - forward: {to: Ave Kaldmaa}\n    - move: Letters\n"
)


def test_same_rules_never_differ(build_rules, case, outside):
    """A rule set against itself changes nothing, held mail included."""
    rules, again = build_rules(OLD), build_rules(OLD)
    assert compare(rules, again, case) is None
    assert compare(rules, again, outside) is None


def test_renamed_rule_is_a_change_of_rules_only(build_rules, case):
    """The same effects under another name change nothing that anyone would notice."""
    assert compare(build_rules(OLD), build_rules(OLD.replace("rule: letters", "rule: post")), case) is None


def test_changed_effect_is_shown_before_and_after(build_rules, case):
    """Another folder: the message is changed, with both sides."""
    found = compare(build_rules(OLD), build_rules(OLD.replace("move: Letters", "move: Post")), case)
    assert [effect["folder"] for effect in found.before.effects if effect["kind"] == "move"] == ["Letters"]
    assert [effect["folder"] for effect in found.after.effects if effect["kind"] == "move"] == ["Post"]
    assert (found.gained, found.lost) == ((), ())


def test_gained_and_lost_rules_are_counted(build_rules, case, outside):
    """A rule that matches less loses messages, which then wait for a person; the sum has examples."""
    new = (
        OLD.replace("letter.asks: nominate", "letter.asks: reply")
        + "- rule: rest\n  when: {nature: person}\n  then:\n    - flag: rest\n"
    )
    tally = Tally(shown=1)
    old_rules, new_rules = build_rules(OLD), build_rules(new)
    for one in (case, replace(case, sha256="c" * 64), outside):
        tally.add(compare(old_rules, new_rules, one))
    assert (tally.cases, tally.changed) == (3, 3)
    assert (tally.gained, tally.lost) == ({"rest": 3}, {"letters": 2})
    assert tally.examples["letters"] == ["a" * 64]


def test_hold_is_a_change(build_rules, case):
    """A message that would be held is changed, with the reason."""
    new = OLD + "- rule: other\n  when: always\n  then:\n    - move: Elsewhere\n"
    found = compare(build_rules(OLD), build_rules(new), case)
    assert found.before.hold is None
    assert found.after.hold.startswith("conflict: ")


def test_rule_that_only_moves_in_its_file_changes_nothing(build_rules, case, outside):
    """A rule written above others moves them down; what they do is the same."""
    new = "- rule: lists\n  when: {nature: list}\n  then:\n    - move: Lists\n" + OLD
    assert compare(build_rules(OLD), build_rules(new), case) is None
    assert compare(build_rules(OLD), build_rules(new), outside) is None


def test_conflict_under_both_sets_is_named_as_it_stands(build_rules, case):
    """Two rules that contradict each other hold the mail before and after; the same place is no change."""
    twice = OLD + OLD.replace("rule: letters", "rule: again").replace("move: Letters", "move: Again")
    new = twice + "- rule: lists\n  when: {nature: list}\n  then:\n    - move: Lists\n"
    assert compare(build_rules(twice), build_rules(new), case) is None
    solved = build_rules(twice.replace("move: Again", "move: Letters"))
    assert compare(build_rules(twice), solved, case).before.hold.startswith("conflict: ")


def test_a_name_means_whom_people_yaml_of_that_version_says(good_files, case):
    """The same rule under another people.yaml: a role's new holder gets other letters."""
    rules = "- rule: to her\n  when: {letter.addressee: {group: addressed}}\n  then:\n    - move: Hers\n"
    sides = []
    for member in ("Katarina Budrik", "Lauri Läänemets"):
        people = good_files["config/people.yaml"].replace(
            "groups:\n", f"groups:\n  - {{name: addressed, members: [{member}]}}\n"
        )
        built, problems = ruleset.build({**good_files, "config/people.yaml": people, "rules/10-test.yaml": rules})
        assert built, problems
        sides.append(built)
    found = compare(*sides, case)
    assert (found.gained, found.lost) == (("to her",), ())


def test_parts_of_a_sum_add_up():
    """Sums of two processes make one."""
    one, two = (
        Tally(cases=2, changed=1, gained={"a": 1}, examples={"a": ["1"]}),
        Tally(cases=3, changed=2, gained={"a": 1, "b": 1}),
    )
    one.merge(two)
    assert (one.cases, one.changed, one.gained, one.examples) == (5, 3, {"a": 2, "b": 1}, {"a": ["1"]})
