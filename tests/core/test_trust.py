"""Only our own server's topmost word on who wrote a mail is believed."""

import pytest

from mailrouter.core.message import Address
from mailrouter.core.trust import Trust, verify

OURS = "mx.ministry.example"
OWN = ("ministry.example",)
MARI = Address("Mari", "mari@ministry.example")
TRUST = Trust((OURS,), ("mailbox.ministry.example", ".inside.example", "10.0.0.0/8"))
PASS = f"{OURS}; dmarc=pass (p=REJECT) header.from=ministry.example"
FROM = ("From", "Mari <mari@ministry.example>")


def verdict(*results, author=MARI, trust=TRUST, above=(), sender=FROM):
    headers = [
        *(("Received", value) for value in above),
        *(("Authentication-Results", value) for value in results),
        sender,
    ]
    return verify(headers, author, trust, OWN)


def test_a_pass_by_our_server_verifies():
    """dmarc=pass for the From domain, stamped by a server of ours."""
    found = verdict(PASS)
    assert found.verified
    assert "dmarc=pass" in found.why


@pytest.mark.parametrize(
    "value",
    [
        "mx.evil.example; dmarc=pass header.from=ministry.example",  # not our server
        f"{OURS}; dmarc=fail header.from=ministry.example",
        f"{OURS}; none",
        f"{OURS}; dmarc=pass header.from=evil.example",  # passed for another domain
        f'{OURS}; dmarc=fail reason="x; dmarc=pass header.from=ministry.example"',
        f"{OURS}; spf=fail (dmarc=pass header.from=ministry.example) smtp.mailfrom=mari@ministry.example",
        f"{OURS}; dkim=pass header.d=evil.example",
        f"{OURS}; dkim=pass header.d=example",
        f"{OURS}; dkim=pass header.d=evilministry.example",
        f"{OURS}; spf=pass smtp.helo=ministry.example",  # the greeting is not the author
        f'{OURS}; spf=pass smtp.mailfrom="x; dmarc=pass"@evil.example',
        f"{OURS}; dmarc=fail header.from=ministry.example; dkim=pass header.d=ministry.example",
        f"{OURS}; dmarc=pass header.from=ministry.example; dmarc=fail header.from=ministry.example",
        f"{OURS} (open comment; dmarc=pass header.from=ministry.example",
        f'{OURS}; dmarc=pass reason="open header.from=ministry.example',
        "spf=pass smtp.mailfrom=ministry.example; dmarc=pass header.from=ministry.example",  # no server named
        f"{OURS}.evil.example; dmarc=pass header.from=ministry.example",
        "",
    ],
)
def test_what_does_not_verify(value):
    """Each of these is a way to look verified without being it."""
    assert not verdict(value).verified


@pytest.mark.parametrize(
    "value",
    [
        f"{OURS} 1; dmarc=pass header.from=ministry.example",  # RFC 8601 § 2.2: a version may follow
        f"(a (nested) comment) {OURS.upper()} ; dmarc = pass header.from = Ministry.Example",
        f'"{OURS}"; spf=none; dmarc=pass (all "good") header.from=ministry.example',
        f'{OURS}; dkim=pass header.d=ministry.example header.s=s1 header.b="abc="',
        f"{OURS}; dkim=pass header.i=@mail.ministry.example",
        f"{OURS}; dmarc=none; spf=pass smtp.mailfrom=mari@ministry.example",
        f"{OURS}; dkim=fail header.d=x.example; dkim/1=pass header.d=ministry.example",
        f"{OURS}; spf=pass (sender IP is 10.1.1.1) smtp.mailfrom=ministry.example; dkim=none; dmarc=pass action=none header.from=ministry.example;compauth=pass reason=100",
    ],
)
def test_ways_of_writing_a_pass(value):
    """RFC 8601's comments, quotes and versions, and what large providers write."""
    assert verdict(value).verified


def test_only_the_topmost_of_ours_counts():
    """A forged pass below our own fail is ignored, and foreign results above ours do not hide it."""
    fail = f"{OURS}; dmarc=fail header.from=ministry.example"
    assert not verdict(fail, PASS).verified
    assert verdict("other.example; dmarc=fail header.from=ministry.example", PASS).verified


@pytest.mark.parametrize(
    ("received", "verified"),
    [
        ("from mailbox.ministry.example (mailbox.ministry.example [10.0.0.2]) by store.inside.example; x", True),
        ("from a.inside.example ([10.1.2.3]) by mailbox.ministry.example with ESMTP; x", True),
        ("by mailbox.ministry.example (Postfix, from userid 0) id 1; x", True),
        ("from evil.example ([203.0.113.9]) by mx.ministry.example; x", False),
        ("from mailbox.ministry.example (evil.example [203.0.113.9]) by mx.ministry.example; x", False),
        ("from mailbox.ministry.example ([203.0.113.9]) by mx.ministry.example; x", False),
        ("nonsense", False),
    ],
)
def test_results_below_a_server_from_outside_are_forged(received, verified):
    """A header that was in the mail when it came in was not stamped by us, whatever it says."""
    assert verdict(PASS, above=[received]).verified is verified


def test_without_hosts_no_received_may_stand_above():
    """No relays configured: the results must stand topmost."""
    trust = Trust((OURS,), ())
    assert verdict(PASS, trust=trust).verified
    assert not verdict(PASS, trust=trust, above=["from mailbox.ministry.example by x.example; x"]).verified


def test_several_authors_are_not_verified():
    """RFC 7489 § 6.6.1: which of them would it be?"""
    both = ("From", "Mari <mari@ministry.example>, Evil <evil@evil.example>")
    assert not verdict(PASS, sender=both).verified
    assert not verify(
        [("Authentication-Results", PASS), FROM, ("From", "evil@evil.example")], MARI, TRUST, OWN
    ).verified


def test_no_address_is_not_verified():
    """A name alone proves nothing."""
    assert not verdict(PASS, author=Address("Mari", None), sender=("From", "Mari")).verified
    assert not verdict(PASS, author=None, sender=("From", "")).verified


def test_exchange_says_how_an_internal_author_logged_in():
    """x-ms-authas: what our own Exchange stamped, for our own domains only."""
    trust = Trust((OURS,), (), "x-ms-authas")
    stamp = ("X-MS-Exchange-Organization-AuthAs", "Internal")
    assert verify([stamp, FROM], MARI, trust, OWN).verified
    assert not verify([FROM], MARI, trust, OWN).verified
    assert not verify([("X-MS-Exchange-Organization-AuthAs", "Anonymous"), stamp, FROM], MARI, trust, OWN).verified
    outside = ("From", "a@other.example")
    assert not verify([stamp, outside], Address("", "a@other.example"), trust, OWN).verified


def test_own_domains_are_believed_only_where_the_setting_says_so():
    """own-domains: the server refuses unauthenticated senders of our domains; outsiders still need results."""
    trust = Trust((OURS,), (), "own-domains")
    assert verify([FROM], MARI, trust, OWN).verified
    assert not verify([FROM], MARI, TRUST, OWN).verified
    assert not verify([("From", "a@other.example")], Address("", "a@other.example"), trust, OWN).verified
    assert verdict(
        f"{OURS}; dmarc=pass header.from=other.example",
        author=Address("", "a@other.example"),
        sender=("From", "a@other.example"),
        trust=trust,
    ).verified


def test_every_verdict_says_why():
    """The person who asks gets a reason, whichever way it went."""
    for value in (PASS, "", f"{OURS}; dmarc=fail", f"{OURS} (broken"):
        assert len(verdict(value).why) > 10
