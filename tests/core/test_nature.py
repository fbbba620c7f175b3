"""What kind of mail it is, from headers and structure."""

import pytest

from mailrouter.core.message import parse
from mailrouter.core.nature import (
    bounced_message_ids,
    failed_recipients,
    loop_hops,
    loop_token,
    nature,
    received_count,
    verify_loop_token,
)

KEY = b"a key of ours"
DSN = b"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.ministry.example>
To: info@ministry.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn@mx.ministry.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.ministry.example

Final-Recipient: rfc822; gone@x.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such user

Final-Recipient: rfc822; slow@x.example
Action: delayed
Status: 4.4.1

--b
Content-Type: %s

Message-ID: <ours-1@ministry.example>
From: info@ministry.example
Subject: Re: Kiri

--b--
"""


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("From: Mari <mari@x.example>", "person"),
        ("From: mari@x.example\nAuto-Submitted: no", "person"),
        ("From: mari@x.example\nAuto-Submitted: no; owner=x", "person"),
        ("From: mari@x.example\nAuto-Submitted: auto-replied; owner-email=mari@x.example", "automatic"),
        ("From: mari@x.example\nAuto-Submitted: auto-generated (cron)", "automatic"),
        ("From: mari@x.example\nX-Auto-Response-Suppress: All", "automatic"),
        ("From: mari@x.example\nX-Autoreply: yes", "automatic"),
        ("From: mari@x.example\nPrecedence: auto_reply", "automatic"),
        ("From: no-reply@x.example", "automatic"),
        ("From: noreply-letters@x.example", "automatic"),
        ("Return-Path: <>\nFrom: mari@x.example", "automatic"),
        ("From: mari@x.example\nList-Id: <news.x.example>", "list"),
        ("From: mari@x.example\nPrecedence: bulk", "list"),
        ("From: mari@x.example\nPrecedence: List", "list"),
        ("From: owner-news@x.example", "list"),
        ("From: news-request@x.example", "list"),
        ("Return-Path: <>\nFrom: MAILER-DAEMON@x.example", "bounce"),
        ("From: x@x.example\nX-Failed-Recipients: gone@y.example", "bounce"),
        ("From: x@x.example\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b", "receipt"),
        ('From: x@x.example\nContent-Type: multipart/report; report-type="delivery-status"; boundary=b', "bounce"),
        ("", "person"),
    ],
)  # fmt: skip
def test_kinds(headers, kind):
    """A person is answered, a machine is not: which it is stands in the headers."""
    assert nature(parse(f"{headers}\n\nTere".encode())) == kind


@pytest.mark.parametrize("carried", [b"text/rfc822-headers", b"message/rfc822"])
def test_a_bounce_names_the_mail_that_it_came_back_for(carried):
    """By the Message-ID of what it carries, and by what became of each recipient."""
    message = parse(DSN % carried)
    assert nature(message) == "bounce"
    assert bounced_message_ids(message) == ("<ours-1@ministry.example>",)
    assert [(each.address, each.action, each.status) for each in failed_recipients(message)] == [
        ("gone@x.example", "failed", "5.1.1"),
        ("slow@x.example", "delayed", "4.4.1"),
    ]


def test_a_bounce_in_words_names_it_too():
    """Exim and qmail put the original into the text."""
    raw = b"Return-Path: <>\nFrom: mailer-daemon@x.example\nX-Failed-Recipients: gone@y.example\nMessage-ID: <e@x.example>\n\n"
    message = parse(
        raw + b"------ This is a copy of the message ------\n\nMessage-Id: <ours-2@ministry.example>\nSubject: x\n"
    )
    assert bounced_message_ids(message) == ("<ours-2@ministry.example>",)
    assert [each.address for each in failed_recipients(message)] == ["gone@y.example"]


def test_a_loop_token_is_ours_or_nothing():
    """Only a token sealed with our key counts, and its count cannot be changed."""
    value = loop_token("ab" * 32, 3, KEY)
    assert verify_loop_token(value, KEY) == 3
    assert verify_loop_token(value, b"another key") is None
    assert verify_loop_token("1" + value[1:], KEY) is None
    assert verify_loop_token("nonsense", KEY) is None


def test_the_highest_count_of_ours_is_the_hops():
    """Forged tokens beside ours change nothing; without any it is a first passage."""
    headers = [
        ("X-Mailrouter-Loop", "99 " + "0" * 16 + "." + "0" * 64),
        ("x-mailrouter-loop", loop_token("cd" * 32, 2, KEY)),
    ]
    assert loop_hops(headers, KEY) == 2
    assert loop_hops([("Subject", "x")], KEY) == 0


def test_servers_on_the_way_are_counted():
    """RFC 5321 § 6.3: many Received headers are a loop."""
    assert received_count(parse(b"Received: from a\nReceived: from b\nX: y\n\nx").headers) == 2
