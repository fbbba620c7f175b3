"""Bad mails of tests/corpus/messages: what is read from each, and the defects that are listed."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrouter.core.containers import Limits
from mailrouter.core.reading import as_json, read

CORPUS = sorted((Path(__file__).parent.parent / "corpus" / "messages").glob("*.eml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_bad_mail_is_read_as_far_as_it_goes(path):
    """Every field that the expectation names, and exactly its defects."""
    expected = YAML(typ="safe").load(path.with_suffix(".expected.yaml"))
    found = as_json(read(path.read_bytes(), Limits()), path.name, 0)
    message = found["message"]
    assert {key: message[key] for key in expected.get("message", {})} == expected.get("message", {})
    assert sorted({defect["code"] for defect in message["defects"]}) == expected["defects"]
    if "attachments" in expected:
        assert [attachment["name"] for attachment in message["attachments"]] == expected["attachments"]
    if "headers" in expected:
        assert [name for name, _ in message["headers"]] == expected["headers"]
    assert found["error"] is None
