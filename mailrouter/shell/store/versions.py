"""Versions of the rule set: every set that decided anything is kept by its digest; the last publication is in force.

Invariant: a version once stored is never changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, update

from mailrouter.shell.errors import Permanent
from mailrouter.shell.store.database import Database
from mailrouter.shell.store.schema import publications, rulesets


@dataclass(frozen=True, slots=True)
class Publication:
    """Who put which version in force, and when."""

    id: int
    digest: str
    at: str
    author: str
    message: str
    second: str | None
    in_force: bool  # False while it waits for the second person


class Versions:
    """The rule set's transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def publish(
        self, digest: str, files: Mapping[str, str], *, at: str, author: str, message: str, four_eyes: bool
    ) -> Publication:
        """Store the version and put it in force, or let it wait for the second person."""

        def work(tx: Connection) -> Publication:
            text = json.dumps(dict(sorted(files.items())), ensure_ascii=False)
            self._db.add(tx, rulesets, [{"digest": digest, "files": text}])
            row = {
                "digest": digest,
                "at": at,
                "author": author,
                "message": message,
                "second": None,
                "in_force": not four_eyes,
            }
            key = tx.execute(publications.insert().values(**row)).inserted_primary_key
            assert key is not None
            return Publication(
                id=int(key[0]),
                digest=digest,
                at=at,
                author=author,
                message=message,
                second=None,
                in_force=not four_eyes,
            )

        return self._db.write(work)

    def publish_first(self, digest: str, files: Mapping[str, str], at: str) -> None:
        """An empty store takes the working copy once, by itself."""
        if self.in_force() is None:
            self.publish(digest, files, at=at, author="mailrouter", message="first run", four_eyes=False)

    def agree(self, publication: int, second: str) -> Publication:
        """The second person puts a waiting version in force."""

        def work(tx: Connection) -> Publication:
            row = tx.execute(select(publications).where(publications.c.id == publication)).one_or_none()
            if row is None or row.in_force:
                raise Permanent(f"no version {publication} waits for a second person; see 'mailrouter rules history'")
            if _same(row.author, second):
                raise Permanent(f"{second} published version {publication}; another person must agree")
            newer = select(publications.c.id).where(publications.c.in_force, publications.c.id > publication).limit(1)
            if tx.execute(newer).scalar_one_or_none() is not None:
                raise Permanent(f"a newer version than {publication} is in force; publish again what you want")
            tx.execute(
                update(publications).where(publications.c.id == publication).values(second=second, in_force=True)
            )
            return _publication(tx.execute(select(publications).where(publications.c.id == publication)).one())

        return self._db.write(work)

    def in_force(self) -> Publication | None:
        """The version that decides."""
        query = select(publications).where(publications.c.in_force).order_by(publications.c.id.desc()).limit(1)
        row = self._db.read(lambda tx: tx.execute(query).one_or_none())
        return _publication(row) if row else None

    def history(self) -> list[Publication]:
        """Every publication, newest first."""
        query = select(publications).order_by(publications.c.id.desc())
        return self._db.read(lambda tx: [_publication(row) for row in tx.execute(query)])

    def files(self, digest: str) -> dict[str, str] | None:
        """The texts of a version; `digest` may be shortened as long as only one begins so."""
        query = select(rulesets.c.files).where(rulesets.c.digest.startswith(digest, autoescape=True))
        found = self._db.read(lambda tx: tx.execute(query).scalars().all())
        return dict(json.loads(found[0])) if len(found) == 1 else None


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _publication(row: Row[tuple[object, ...]]) -> Publication:
    return Publication(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
