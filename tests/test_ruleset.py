"""What staff own is built, or refused with every mistake and its place."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter import ruleset
from mailrouter.core.containers import Limits
from mailrouter.core.reading import read
from mailrouter.settings import load

BAD = Path(__file__).parent / "bad_rules"
GOOD_FILES = {
    str(path.relative_to(BAD / "_good")): path.read_text("utf-8")
    for path in sorted((BAD / "_good").rglob("*"))
    if path.is_file()
}
CASES = sorted(path for path in BAD.iterdir() if path.is_dir() and path.name != "_good")
SETTINGS = """
institution: {name: Siseministeerium, domains: [ministry.example]}
trust: {authserv_ids: [mx.ministry.example], internal: own-domains}
mailboxes: [{name: registry, address: info@ministry.example, directory: mail}]
smtp: {host: 127.0.0.1}
"""
MAIL = b"""From: Katarina Budrik <katarina.budrik@ministry.example>
To: info@ministry.example
Subject: Hinnad
Date: Thu, 29 Feb 2024 13:05:00 +0200
Message-ID: <a@ministry.example>

Tere, palun hinnapakkumist.
"""
RULE = """- rule: prices
  when: {message.subject: {contains: HINNAD}}
  then:
    - forward: {to: ministri nõunikud}
    - move: Prices
  examples:
    - sample: samples/price.eml
      expect: %s
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in GOOD_FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "config" / "mailrouter.yaml").write_text(SETTINGS, "utf-8")
    (tmp_path / "rules" / "10-good.yaml").unlink()
    (tmp_path / "rules" / "samples").mkdir()
    (tmp_path / "rules" / "samples" / "price.eml").write_bytes(MAIL)
    return tmp_path


def checked(folder, expect):
    (folder / "rules" / "10-prices.yaml").write_text(RULE % expect, "utf-8")
    settings_, problems = load(folder / "config")
    assert settings_ is not None, problems
    return ruleset.check(folder / "config", settings_, lambda raw: read(raw, Limits()))


def test_there_are_enough_wrong_files():
    """The promise is sixty of them."""
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_wrong_file_is_refused_with_its_place(case):
    """Each wrong file is refused for its own reason, at its own line and column, and for no other."""
    changed = {str(path.relative_to(case)): path.read_text("utf-8") for path in case.rglob("*.*") if path.is_file()}
    built, problems = ruleset.build({**GOOD_FILES, **changed})
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    assert errors == (case / "expected_error").read_text("utf-8").splitlines()
    assert built is None


def test_sound_files_build():
    """The files that the wrong ones differ from are sound, without a warning."""
    built, problems = ruleset.build(GOOD_FILES)
    assert problems == []
    assert [rule.name for rule in built.rules] == ["letter to the minister", "a contact point is asked for"]


def test_every_problem_is_said_at_once():
    """Mistakes in several files come together, each with its place."""
    wrong = {
        name: (BAD / name / "rules/20-bad.yaml").read_text("utf-8") for name in ("unknown-condition", "unknown-series")
    }
    named = {
        f"rules/{30 + number}.yaml": text.replace("rule: bad", f"rule: {name}")
        for number, (name, text) in enumerate(wrong.items())
    }
    _, problems = ruleset.build({**GOOD_FILES, **named, "templates/bad.txt.j2": "{{ lettr }}"})
    assert {problem.file for problem in problems} == {"rules/30.yaml", "rules/31.yaml", "templates/bad.txt.j2"}


def test_rule_without_examples_is_a_warning():
    """A rule without examples still works; staff are told."""
    built, problems = ruleset.build(
        {**GOOD_FILES, "rules/20.yaml": "- rule: bare\n  when: always\n  then:\n    - move: Rest\n"}
    )
    assert built is not None
    assert [(problem.severity, problem.file, problem.line) for problem in problems] == [("warning", "rules/20.yaml", 1)]


def test_digest_covers_every_file_and_not_their_order():
    """Any changed text is another version; the order of files is not."""
    first = ruleset.build(GOOD_FILES)[0].digest
    assert ruleset.build(dict(reversed(GOOD_FILES.items())))[0].digest == first
    for name, text in GOOD_FILES.items():
        changed, _ = ruleset.build({**GOOD_FILES, name: text + "\n"})
        assert changed.digest != first, name


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_text_ever_makes_a_traceback(data):
    """Whatever is typed, cut or pasted into a file, the answer is a list of problems or a rule set."""
    name = data.draw(st.sampled_from(sorted(GOOD_FILES)))
    text = GOOD_FILES[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    typed = data.draw(st.sampled_from(["", " ", "\t", ":", "- ", "{", "}", "[]", "{{", "}}", "{%", "=", "'", '"', "null", "&a", "*a", "? ", "\x00", "\udc80", "!!python/object:os", "9" * 40, "- rule"]))  # fmt: skip
    built, problems = ruleset.build({**GOOD_FILES, name: text[:start] + typed + text[end:]})
    assert (built is None) == any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize(
    "expect",
    [
        "match",
        "{move: Prices}",
        "{forward: {to: [ave.kaldmaa@ministry.example]}}",
        "{forward: {to: ave.kaldmaa@ministry.example, subject: hinnad}, move: {folder: prices}}",
    ],
)
def test_example_that_holds_is_no_problem(folder, expect):
    """An example names as much of the outcome as it cares for."""
    built, problems = checked(folder, expect)
    assert problems == []
    assert built is not None


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("no match", ["the rule matches", "message.subject", "Hinnad"]),
        ("{move: Registered}", ["move: folder should be 'Registered', and is 'Prices'"]),
        ("{forward: {to: [minister@ministry.example]}}", ["minister@ministry.example", "ave.kaldmaa@ministry.example"]),
        ('{register: {series: "5-4"}}', ["expected 'register'"]),
        ("{hold: rule}", ["should be held (rule), and is not"]),
    ],
)
def test_example_that_fails_says_why(folder, expect, words):
    """A failing example stands at its own line of the rule file, with what was wanted and found."""
    built, problems = checked(folder, expect)
    assert built is None
    [problem] = problems
    assert problem.file.endswith("rules/10-prices.yaml")
    assert (problem.line, problem.column) == (7, 7)
    assert all(word in problem.message for word in words), problem.message


def test_example_of_a_missing_mail(folder):
    """A sample that is not there is named."""
    (folder / "rules" / "samples" / "price.eml").unlink()
    _, problems = checked(folder, "match")
    assert "samples/price.eml: cannot be read" in problems[0].message


def test_schema_accepts_what_the_compiler_accepts():
    """The schema for editors knows every action, condition and key, each described."""
    schema = ruleset.rules_schema()
    json.dumps(schema)
    rule, action = schema["$defs"]["rule"], schema["$defs"]["action"]
    assert set(rule["required"]) == {"rule", "when", "then"}
    assert {"register", "forward", "draft", "acknowledge", "reply", "move", "flag", "assign", "notify", "calendar", "remind", "hold"} <= set(action["properties"])  # fmt: skip
    assert all(item["description"] for item in action["properties"].values())
    paths = schema["$defs"]["conditions"]["properties"]
    assert {"letter.addressee", "incoming.from.address", "instruction.forward_to", "sender.verified"} <= set(paths)
    assert "contains" in schema["$defs"]["text_test"]["properties"]


def test_reference_describes_every_word():
    """`describe` names every operator and action with the words that staff read."""
    conditions, actions = ruleset.describe("conditions"), ruleset.describe("actions")
    for word in ("`contains`", "`subdomain`", "`within`", "`letter.asks`", "`thread`"):
        assert word in conditions
    for word in ("## register", "## acknowledge", "`before_due`"):
        assert word in actions
    with pytest.raises(ValueError, match="no reference"):
        ruleset.describe("colours")


def test_the_documents_rules_are_sound():
    """What docs/rules.md shows can be typed in as it stands."""
    page = (BAD.parent.parent / "docs" / "rules.md").read_text("utf-8")
    rules = page.split("```yaml\n")[1].split("```")[0]
    template = page.split("```jinja\n")[1].split("```")[0]
    files = {name: text for name, text in GOOD_FILES.items() if not name.startswith("rules/")}
    more = {
        "rules/10.yaml": rules,
        "templates/shown.txt.j2": template,
        "templates/reminder.txt.j2": "{{ entry.number }}",
    }
    built, problems = ruleset.build({**files, **more})
    assert [str(problem) for problem in problems if problem.severity == "error"] == []
    assert len(built.rules) == 2


def test_folder_that_is_named_once_and_almost_like_another_is_a_warning():
    """A folder is made where it is not there, so a slip of the pen is asked about."""
    rule = "- rule: {name}\n  when: {{nature: {nature}}}\n  then:\n    - move: {folder}\n  examples: [{{sample: a.eml, expect: match}}]\n"
    text = rule.format(name="a", nature="list", folder="Registred") + rule.format(
        name="b", nature="bounce", folder="Bounces"
    )
    built, problems = ruleset.build({**GOOD_FILES, "rules/20.yaml": text})
    assert built is not None
    assert [str(problem) for problem in problems] == [
        "rules/20.yaml:4:13: warning: only this rule files mail in 'Registred'; did you mean 'Registered'?"
    ]
