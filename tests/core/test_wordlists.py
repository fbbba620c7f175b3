"""Word lists are read fast, and as YAML means them."""

from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mailrouter.core.wordlists import load_words

LISTS = sorted(
    (each for each in (files("mailrouter.core") / "data").iterdir() if each.name.endswith(".yaml")),
    key=lambda each: each.name,
)


@pytest.mark.parametrize("entry", LISTS, ids=lambda each: each.name)
def test_a_shipped_list_means_what_yaml_says(entry):
    """Values, their types and their order are those of the YAML library."""
    text = entry.read_text(encoding="utf-8")
    assert repr(load_words(text)) == repr(YAML(typ="safe").load(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: [b, 'c''d', \"e\\\\*\", don't, 3, -4, 05, 1.5, true, True, null, on, no, ~]\n",
        "a:\n  - b\n  - 'c'  # why\n  - [d, {e: f}]\n",
        "a:\n- b\n- c\n",
        "a: &x [b]\nc: *x\n",
        "a: >-\n  folded\n  text\n",
        "a: plain text\n  on two lines\n",
        "a: [plain\n  text, b]\n",
        "a: {b: [c], 'd e': f,}\n# end",
        "a: b # comment\nc: d#e\n",
        'a: "\\u00f5"\n',
        "- a\n- b\n",
        "a: http://b.example/c\n",
        "1: [2]\n",
        "a:\n  b: c\n d: e\n",
        "a: [b, c\n",
        "a: {b: c, b: d}\n",
        "a: b\na: c\n",
        "",
    ],
)
def test_other_yaml_is_read_as_the_library_reads_it(text):
    """What staff may write besides is read as well, or refused as the library refuses it."""
    try:
        expected = YAML(typ="safe").load(text)
    except YAMLError as error:
        with pytest.raises(type(error)):
            load_words(text)
    else:
        assert repr(load_words(text)) == repr(expected)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab :,-[]{}'\"#\n\\1*|", max_size=24))
def test_no_text_is_read_otherwise_than_by_the_library(body):
    """Whatever is written behind a key."""
    text = f"a: {body}\n"
    try:
        expected = repr(YAML(typ="safe").load(text))
    except (YAMLError, ValueError, TypeError, NotImplementedError):
        return
    assert repr(load_words(text)) == expected
