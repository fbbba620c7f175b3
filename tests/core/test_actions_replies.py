"""When an automatic answer may go out, and what is sent instead."""

from dataclasses import replace

import pytest

from mailrouter.core.actions.automatic import may_reply
from mailrouter.core.message import Address
from mailrouter.core.plan import plan
from mailrouter.core.rules import decide

RULES = "- rule: thanks\n  when: always\n  then:\n    - acknowledge: {text: Thank you}\n"


@pytest.fixture
def effects(build_rules, now):
    def run(case, rules=RULES):
        built = build_rules(rules)
        return plan(decide(case, built), case, built, now)

    return run


def test_person_who_wrote_to_us_may_be_answered(outside, effects):
    """A citizen's mail to our address is acknowledged, to the return path, in its thread."""
    assert may_reply(outside) is None
    [effect] = effects(outside).effects
    assert (effect.kind, effect.to) == ("acknowledge", (Address("", "mart.murakas@post.example"),))
    assert (effect.in_reply_to, effect.references) == ("<req@post.example>", ("<req@post.example>",))


def test_answer_goes_to_the_return_path(outside, effects):
    """RFC 3834 § 4: the return path counts, not From."""
    other = replace(outside, message=replace(outside.message, return_path="mart+1@post.example"))
    assert effects(other).effects[0].to == (Address("", "mart+1@post.example"),)


@pytest.mark.parametrize("kind", ["acknowledge", "reply"])
def test_forwarded_letter_gets_a_draft(case, effects, kind):
    """An automatic answer to a letter in a forward would go to the colleague: it becomes a draft to who wrote."""
    [effect] = effects(case, RULES.replace("acknowledge", kind)).effects
    assert effect.kind == "draft"
    assert effect.purpose == {"acknowledge": "acknowledgement", "reply": "reply"}[kind]
    assert [one.address for one in effect.to] == ["HOME-GLOBAL-ALLIANCE@ec.europa.eu"]
    assert effect.in_reply_to == "<one@ec.europa.eu>"


@pytest.mark.parametrize(
    ("header", "answered"),
    [
        (("Auto-Submitted", "no"), True),
        (("Auto-Submitted", "no; comment=x"), True),
        (("auto-submitted", "auto-replied"), False),
        (("Auto-Submitted", "auto-generated; type=x"), False),
        (("Auto-Submitted", "auto-notified (a comment)"), False),
        (("List-Id", "<news.example>"), False),
        (("Precedence", "Bulk"), False),
        (("Precedence", "first-class"), True),
        (("X-Auto-Response-Suppress", "All"), False),
    ],
)
def test_headers_of_machines_get_no_answer(outside, effects, header, answered):
    """RFC 3834 § 2: no answer to automatic mail and lists, whatever the parameters."""
    other = replace(outside, message=replace(outside.message, headers=(header,)))
    assert (may_reply(other) is None) is answered
    made = effects(other)
    assert bool(made.effects) is answered
    assert bool(made.notes) is not answered


@pytest.mark.parametrize("nature", ["list", "automatic", "bounce", "receipt"])
def test_nature_of_machines_gets_no_answer(outside, nature):
    """Lists, out-of-office replies, bounces and receipts are never answered."""
    assert may_reply(replace(outside, nature=nature)) is not None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"return_path": ""}, "null"),
        ({"return_path": "MAILER-DAEMON@post.example"}, "nobody reads"),
        ({"return_path": "no-reply@post.example"}, "nobody reads"),
        ({"return_path": "noreply+17@post.example"}, "nobody reads"),
        ({"return_path": "owner-news@post.example"}, "nobody reads"),
        ({"return_path": "news-request@post.example"}, "nobody reads"),
        ({"return_path": "bounces+17=x@post.example"}, "nobody reads"),
        ({"return_path": "Info@ministry.example"}, "our own address"),
        ({"to": (Address("", "other@ministry.example"),)}, "neither in To nor in Cc"),
    ],
)
def test_addresses_that_get_no_answer(outside, change, why):
    """Null return paths, robots, our own addresses, and mail that does not name our address."""
    assert why in may_reply(replace(outside, message=replace(outside.message, **change)))


def test_address_in_cc_is_enough(outside):
    """RFC 5230 § 4.5: To or Cc."""
    copied = replace(outside.message, to=(), cc=(Address("", "INFO@ministry.example"),))
    assert may_reply(replace(outside, message=copied)) is None


@pytest.mark.parametrize("local", ["norberta.reply", "request.office", "bounty", "ownership"])
def test_people_with_such_names_are_answered(outside, local):
    """A name that only resembles a robot's is a person's."""
    assert may_reply(replace(outside, message=replace(outside.message, return_path=f"{local}@post.example"))) is None
