"""What staff own → a RuleSet: its files collected, built, checked against its own examples, described for editors."""

from mailrouter.ruleset.building import INSTITUTION, build, collect, digest_of, institution_text, locate
from mailrouter.ruleset.examples import check
from mailrouter.ruleset.reference import describe, rules_schema

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
