"""Migrations: alembic, run when a store is opened; a store of a newer version is refused.

Invariant: a store written by any earlier version opens in this one.
"""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import text

from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database

_LOCK = 7_205_001  # PostgreSQL's advisory lock: one node migrates, the others wait


def migrate(database: Database) -> None:
    """Bring the store to this version's schema."""
    with as_file(files("mailrouter.shell.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        head = scripts.get_current_head()
        current = database.read(lambda tx: MigrationContext.configure(tx).get_current_revision())
        if current == head:
            return
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise Permanent(f"the store was written by a newer mailrouter (schema {current}); use that version")

        def upgrade(connection: object) -> None:
            if not database.sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))  # type: ignore[attr-defined]  # alembic wants the plain connection
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise Permanent(f"the store's schema could not be brought up to date: {error}") from error

        database.write(upgrade)
