"""The document register: series, numbering, access, answers, the public's view of an entry.

Invariant: a number is only computed here; it is allocated in the settle transaction, never skipped, never used twice.
"""

from typing import TYPE_CHECKING

from mailrouter.core.later import later
from mailrouter.core.register.entries import (
    Access,
    Classification,
    Correspondent,
    Direction,
    Entry,
    Function,
    KnownEntry,
    Relation,
    RelationKind,
    Responsible,
    Series,
)
from mailrouter.core.register.numbering import (
    Numbering,
    counter_name,
    file_mark,
    format_number,
    needs_counter,
    next_number,
)

if TYPE_CHECKING:
    from mailrouter.core.register.access import FOREIGN_BASIS, Granted, access_of
    from mailrouter.core.register.answers import answer_entry, closed_by
    from mailrouter.core.register.classification import check_classification, function_of, series_of
    from mailrouter.core.register.found import FoundNumber, find_numbers, find_references, found_numbers
else:
    __getattr__ = later(
        __name__,
        {
            "access": "FOREIGN_BASIS Granted access_of",
            "answers": "answer_entry closed_by",
            "classification": "check_classification function_of series_of",
            "found": "FoundNumber find_numbers find_references found_numbers",
        },
    )

__all__ = [
    "FOREIGN_BASIS",
    "Access",
    "Classification",
    "Correspondent",
    "Direction",
    "Entry",
    "FoundNumber",
    "Function",
    "Granted",
    "KnownEntry",
    "Numbering",
    "Relation",
    "RelationKind",
    "Responsible",
    "Series",
    "access_of",
    "answer_entry",
    "check_classification",
    "closed_by",
    "counter_name",
    "file_mark",
    "find_numbers",
    "find_references",
    "format_number",
    "found_numbers",
    "function_of",
    "needs_counter",
    "next_number",
    "series_of",
]
