"""The golden corpus: every mail in tests/corpus/chains is read as its .expected.yaml says, which people wrote by hand."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mailrouter.core.chain import Enclosed, unwind
from mailrouter.core.message import Address, Message, parse

CORPUS = Path(__file__).parent.parent / "corpus" / "chains"
MAILS = sorted(CORPUS.glob("*.eml"))


def enclosed(message: Message) -> tuple[Enclosed, ...]:
    mails = [parse(part.content) for part in message.parts if part.media_type == "message/rfc822"]
    return tuple(Enclosed(mail, enclosed(mail)) for mail in mails)


def plain(address: Address | None) -> dict[str, Any] | None:
    return None if address is None else {"name": address.name, "address": address.address}


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_reads_the_chain_as_people_do(path):
    """Whose words, when, to whom: hop by hop, and the outer author's own."""
    expected = YAML(typ="safe").load(path.with_suffix(".expected.yaml").read_text(encoding="utf-8"))
    message = parse(path.read_bytes())
    chain = unwind(message, enclosed(message))
    assert chain.text == expected["message"].rstrip("\n")
    assert list(chain.banners) == expected["banners"]
    assert chain.forwarded == any(hop["kind"] == "forward" for hop in expected["chain"])
    assert [plain(hop.author) for hop in chain.hops] == [hop["from"] for hop in expected["chain"]]
    for hop, wanted in zip(chain.hops, expected["chain"], strict=True):
        assert [plain(one) for one in hop.to] == wanted["to"]
        assert [plain(one) for one in hop.cc] == wanted["cc"]
        for key in ("subject", "sent", "sent_raw", "kind", "source", "message_id"):
            if key in wanted:
                assert getattr(hop, key) == wanted[key], key
        assert hop.text == wanted["text"].rstrip("\n")
        assert 0.5 <= hop.confidence <= 1


def test_holds_the_shapes_that_were_promised():
    """The corpus does not shrink below what the reader's page promises."""
    assert len(MAILS) >= 120
    assert all(path.with_suffix(".expected.yaml").exists() for path in MAILS)
