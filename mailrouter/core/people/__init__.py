"""The directory: persons, groups, roles, units, institutions; names as written → entries.

Invariant: an answer names exactly one entry, or says that there are several or none; it never guesses.
"""

from typing import TYPE_CHECKING

from mailrouter.core.later import later
from mailrouter.core.people.directory import (
    Directory,
    Found,
    Group,
    Institution,
    NotFound,
    Person,
    Role,
    Unit,
)

if TYPE_CHECKING:
    from mailrouter.core.people.checks import check_directory
    from mailrouter.core.people.declension import nominative
    from mailrouter.core.people.lookup import expand, find, institution_of, person_by_email, valid
    from mailrouter.core.people.roles import find_role
else:
    __getattr__ = later(
        __name__,
        {
            "checks": "check_directory",
            "declension": "nominative",
            "lookup": "expand find institution_of person_by_email valid",
            "roles": "find_role",
        },
    )

__all__ = [
    "Directory",
    "Found",
    "Group",
    "Institution",
    "NotFound",
    "Person",
    "Role",
    "Unit",
    "check_directory",
    "expand",
    "find",
    "find_role",
    "institution_of",
    "nominative",
    "person_by_email",
    "valid",
]
