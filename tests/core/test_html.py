"""HTML bodies become text that reads line by line as it is shown."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.core.html import to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("one<br>two<br/><br>three", "one\ntwo\n\nthree"),
        ("<p>a\n  b\t c</p>", "a b c"),
        ("<p>one <b>bold</b>, <i>two</i></p>", "one bold, two"),
        ("<p>&lt;a@b.example&gt; &amp; &nbsp;x &#8211; y</p>", "<a@b.example> & \xa0x – y"),
        ("<table><tr><th>From: </th><td>A</td></tr><tr><th>To: </th><td>B</td></tr></table>", "From: \tA\nTo: \tB"),
        ("<ul><li>x</li><li>y</li></ul><ol><li>z</li><li>w</li></ol>", "- x\n- y\n\n1. z\n2. w"),
        ("<blockquote>q<blockquote>r</blockquote></blockquote>s", "> q\n>\n>> r\n\ns"),
        ('<blockquote style="margin:0 0 0 40px;border:none;padding:0">indented</blockquote>', "indented"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("a<hr>b", "a\n" + "_" * 32 + "\nb"),
        ("<head><title>t</title><style>x</style></head><script>y</script>z<!-- c -->", "z"),
        ('<div style="display:none">hidden</div>shown<span style="DISPLAY: none">x</span>', "shown"),
        ('<a href="mailto:a@b.example">Anna</a>', "Anna <a@b.example>"),
        ('<a href="mailto:a@b.example">a@b.example</a> <a href="https://x.example">link</a>', "a@b.example link"),
        ("<p class=MsoNormal>one<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>two</p>", "one\n\ntwo"),
        ("<p>unclosed<p>next<div>and", "unclosed\n\nnext\n\nand"),
        ("<body>\n<div>\n<p>a</p>\n\n</div>\n</body>", "a"),
    ],
)
def test_shows_lines_as_a_reader_sees_them(html, text):
    """Paragraphs apart, cells by tabs, quotations by marks; nothing hidden."""
    assert to_text(html) == text


def test_never_more_than_two_blank_lines():
    """Empty paragraphs and breaks do not pile up."""
    assert "\n\n\n\n" not in to_text("a" + "<p>&nbsp;</p>" * 20 + "<br>" * 20 + "b")


def test_deep_nesting_is_read():
    """Thousands of nested elements end no stack."""
    assert to_text("<div>" * 20_000 + "deep") == "deep"
    assert to_text("<blockquote>" * 3_000 + "deep").endswith("deep")


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(["<p>", "</p>", "<td>", "<table>", "<blockquote>", "</blockquote>", "<a href='mailto:x'>", "</a>", "<br>", "<li>", "</ul>", "<ul>", "<pre>", "</pre>", "&amp", "<!--", "\x00"]), st.text(max_size=5))).map("".join))  # fmt: skip
def test_never_raises(html):
    """Any mixture of tags is read."""
    assert isinstance(to_text(html), str)


def test_time_is_linear():
    """Ten times the HTML takes about ten times as long."""
    unit = "<div><p>Hello</p><blockquote type=cite><table><tr><td>From:</td><td>A</td></tr></table></blockquote></div>"

    def seconds(size):
        best = 9.0
        for _ in range(3):
            start = time.perf_counter()
            to_text((unit * (size // len(unit) + 1))[:size])
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds(400_000) <= 25 * seconds(40_000)


@pytest.mark.parametrize(
    "html",
    [
        "<blockquote>" * 200_000 + "x",
        "<table>" + "<td>x" * 60_000,
        '<div title=">">' * 60_000 + "x",
        '<div title="' * 60_000,
        "<a '" * 60_000,
        "<div a=\"'>" * 60_000,
    ],
    ids=["quotations", "cells", "marks in quotes", "open quotes", "stray quotes", "quotes in quotes"],
)
def test_depth_and_length_cost_no_more_than_their_size(html):
    """A mail of some hundred kilobytes of hostile HTML is read in a second or two, not in minutes."""
    begun = time.process_time()
    to_text(html)
    assert time.process_time() - begun < 5
