"""The migrations themselves: alembic's scripts, run on one store.

Invariant: one transaction that brings the store to the newest schema, or leaves it as it was.
"""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import text

from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database

_LOCK = 7_205_001  # PostgreSQL's advisory lock: one node migrates, the others wait


def upgrade(database: Database, current: str | None) -> None:
    """Bring a store at the revision `current` (None: empty) to the newest; Permanent if this version does not know it."""
    with as_file(files("mailrouter.shell.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise Permanent(f"the store was written by a newer mailrouter (schema {current}); use that version")

        def run(connection: object) -> None:
            if not database.sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))  # type: ignore[attr-defined]  # alembic wants the plain connection
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise Permanent(f"the store's schema could not be brought up to date: {error}") from error

        database.write(run)
