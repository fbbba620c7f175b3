"""The schema's versions: what the migrations build is what the tables say, and an old store opens."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.migrate import HEAD, migrate
from mailrouter.shell.store.schema import metadata
from mailrouter.shell.store.store import Store


def test_migrations_build_what_the_tables_say(store_url):
    """On both databases nothing is left for a further migration: tables, columns, types, indexes, keys."""
    database = Database(store_url)
    migrate(database)

    def difference(tx):
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    assert database.read(difference) == []
    migrate(database)  # a second start changes nothing
    tables = database.read(lambda tx: set(inspect(tx).get_table_names()))
    assert tables == {*metadata.tables, "alembic_version"}
    database.close()


def test_a_store_of_the_first_version_opens(first_store, tmp_path):
    """What version 0001 wrote is there in this version: its ledger, its register, its next number."""
    path = tmp_path / "old.db"
    first_store(path)
    store = Store(f"sqlite:///{path}")
    assert store.intake.counts() == {"registry": {"settled": 1}}
    assert store.listing.one("7-1/1-1").subject == "An old letter"
    [entry] = store.registry.entries()
    assert (entry.number, entry.counter, entry.title) == ("7-1/1-1", 1, "An old letter")
    assert store.intake.last_uid("registry", "INBOX", 11) == 5
    store.close()


def test_a_newer_store_is_refused(tmp_path):
    """A store that a later version wrote is left alone, and the message says what to do."""
    path = tmp_path / "new.db"
    Store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(Permanent, match="newer mailrouter"):
        Store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_store_that_is_up_to_date_is_known_by_the_newest_revision():
    """A new migration is run on stores of today: the revision that opening asks for is the newest one."""
    scripts = ScriptDirectory(str(files("mailrouter.shell.store") / "migrations"))
    assert scripts.get_current_head() == HEAD


def test_several_nodes_may_open_an_empty_store_at_once(store_url):
    """One migrates, the others wait for it."""
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: Store(store_url), range(4)))
    for store in stores:
        assert store.intake.counts() == {}
        store.close()


@pytest.fixture
def first_store():
    """Writes a store as version 0001 does: its own tables, rows in plain SQL that names no code of today."""

    def write(path):
        database = Database(f"sqlite:///{path}")

        def build(tx):
            context = MigrationContext.configure(tx)
            scripts = ScriptDirectory(str(files("mailrouter.shell.store") / "migrations"))
            first = scripts.get_revision("0001")
            with Operations.context(context):
                first.module.upgrade()
            context._ensure_version_table()
            tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
            tx.exec_driver_sql(
                "INSERT INTO entries (number, counter, suffix, direction, series, registered_at, state, stem, data) VALUES "
                "('7-1/1-1', 1, 1, 'incoming', '7-1', '2024-02-29T10:00:00+02:00', 'open', '7-1/1', :data)",
                {"data": ENTRY},
            )
            tx.exec_driver_sql("INSERT INTO epochs VALUES ('registry', 'INBOX', 11, 5, '2024-02-29T10:00:00+02:00', 1)")
            tx.exec_driver_sql(
                "INSERT INTO intake (mailbox, folder, uidvalidity, uid, sha256, state, subject, entry_id) VALUES "
                "('registry', 'INBOX', 11, 5, 'ab12', 'settled', 'An old letter', 1)"
            )

        database.write(build)
        database.close()

    return write


ENTRY = (
    '{"direction": "incoming", "title": "An old letter", "function": "7", "series": "7-1", "access": "Avalik", '
    '"number": "7-1/1-1", "counter": 1, "suffix": 1, "registered": "2024-02-29T10:00:00+02:00", "file": "7-1/2024", '
    '"stem": "7-1/1"}'
)
