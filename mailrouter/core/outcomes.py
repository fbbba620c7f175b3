"""What the core returns when something is not as it should be: values, never exceptions.

A `Defect` lies in a mail and is listed; a `Problem` lies in what staff wrote and refuses a version; a `Hold` is the
decision that a person must look first.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a mail that could not be read as its standard says; reading went on."""

    code: str  # a short stable word: "charset", "date", "base64", "depth", "encrypted", "zip-bomb", "needs-ocr"
    detail: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a person must decide: `code` is stable for rules and lists, `reason` is for the person and names the remedy."""

    code: str  # "unreadable", "no-rule", "conflict", "loop", "encrypted", "restricted", "unclear", "defect", "rule"
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in settings, rules, templates or the directory, with its place; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {'warning: ' if self.severity == 'warning' else ''}{self.message}"
