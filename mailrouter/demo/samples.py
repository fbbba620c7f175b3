"""The sample mails: their bytes, when they arrive, and what must come of them.

Invariant: they live in one place, the rules folder's `samples/`, so that rules' examples, the demo and the tests read
the same files. NAME.eml has the bytes, NAME.expected.yaml the arrival and the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_SHIPPED = Path(__file__).parent / "shipped"  # where the wheel has config, rules and templates
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample mail. `story` says in a line what it is; `expected` is the outcome as its file states it."""

    name: str
    raw: bytes
    arrives: datetime  # with offset
    story: str
    expected: Mapping[str, Any]


def shipped() -> Path:
    """The folder that has the shipped config/, rules/ and templates/: the wheel's, or the checkout's own."""
    return _SHIPPED if _SHIPPED.is_dir() else _CHECKOUT


def load(folder: Path) -> tuple[Sample, ...]:
    """Every sample of a folder, in the order of arrival."""
    return tuple(sorted((_sample(path) for path in folder.glob("*.expected.yaml")), key=lambda sample: sample.arrives))


def _sample(path: Path) -> Sample:
    expected = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    name = path.name.removesuffix(".expected.yaml")
    return Sample(
        name,
        path.with_name(f"{name}.eml").read_bytes(),
        datetime.fromisoformat(expected["arrives"]),
        expected["story"],
        expected,
    )
