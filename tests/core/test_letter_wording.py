"""Wordings: a pattern with a quick no finds all that the pattern alone finds."""

import re
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mailrouter.core.letter.flat import flat
from mailrouter.core.letter.phrases import anywhere, compile_phrase, union
from mailrouter.core.letter.wording import Vocabulary, needs_of


def strings(content):
    """All phrases of a data file."""
    if isinstance(content, dict):
        return [phrase for value in content.values() for phrase in strings(value)]
    if isinstance(content, list):
        return [phrase for value in content for phrase in strings(value)]
    return [content] if isinstance(content, str) else []


DATA = files("mailrouter.core") / "data"
PHRASES = sorted(
    {
        phrase
        for name in ("letters.yaml", "letters_asks.yaml")
        for phrase in strings(YAML(typ="safe").load((DATA / name).read_text(encoding="utf-8")))
        if "(author)" not in phrase
    }
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PHRASES), st.data())
def test_what_a_phrase_finds_its_wording_finds(phrase, data):
    """No text that a phrase of the data matches is turned away, whatever stands around it."""
    pattern = re.compile(rf"(?<!\w)(?:{compile_phrase(phrase)})(?!\w)")
    text = data.draw(st.from_regex(compile_phrase(phrase), fullmatch=True))
    around = flat(data.draw(st.sampled_from(["{}", "Palun {} homme", "«{}»", "a.{}-b", "1 {},2"]))).format(flat(text))
    for wording in (union([phrase], Vocabulary()), union([phrase, "xyzzy"], Vocabulary())):
        assert [match.span() for match in wording.finditer(around)] == [m.span() for m in pattern.finditer(around)]
    inside = re.search(compile_phrase(phrase), f"x{around}x")
    assert (anywhere([phrase], Vocabulary()).search(f"x{around}x") is None) == (inside is None)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"r\.?s\.?v\.?p\.?", "r.s.v.p."),
        (r"r\.?s\.?v\.?p\.?", "rsvp"),
        (r"[a-z]*ministeerium\w*", "siseministeeriumile"),
        (r"cop(y|ies)\s+of", "copies of"),
        (r"(my )?highest\s+regard", "highest regard"),
        (r"colou?rs?", "color"),
        (r"(a|b)?", ""),
        (r"d'agreer", "d'agreer"),
        (r"\w+\s\d{2}", "mai 24"),
    ],
)
def test_needs_hold_for_each_way_to_write_it(pattern, text):
    """Optional letters, marks, endings and beginnings are allowed for."""
    needs = needs_of([pattern], begins=True, ends=True)
    words = re.findall(r"\w+", text)
    fits = {
        "whole": lambda need, word: word == need.letters,
        "begin": lambda need, word: word.startswith(need.letters),
        "inside": lambda need, word: need.letters in word,
    }
    assert needs is None or any(fits[need.place](need, word) for need in needs for word in words)


def test_a_text_without_the_words_is_turned_away_unread():
    """What the quick no is for: the pattern is not tried where its words are missing."""
    needs = needs_of(["would\\s+be\\s+grateful", "kindly\\s+(send|return)"], begins=True, ends=True)
    assert needs is not None
    assert {need.letters for need in needs} == {"grateful", "kindly"}
