"""What staff own → a RuleSet: its files collected, built, checked against its own examples, described for editors."""

from typing import TYPE_CHECKING

from mailrouter.core.later import later

if TYPE_CHECKING:
    from mailrouter.ruleset.building import build
    from mailrouter.ruleset.examples import check
    from mailrouter.ruleset.reference import describe, rules_schema
    from mailrouter.ruleset.sources import INSTITUTION, collect, digest_of, institution_text, locate
else:
    __getattr__ = later(
        __name__,
        {
            "building": "build",
            "examples": "check",
            "reference": "describe rules_schema",
            "sources": "INSTITUTION collect digest_of institution_text locate",
        },
    )

__all__ = [
    "INSTITUTION",
    "build",
    "check",
    "collect",
    "describe",
    "digest_of",
    "institution_text",
    "locate",
    "rules_schema",
]
