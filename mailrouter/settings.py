"""config/mailrouter.yaml → frozen Settings, or every problem with its place.

Invariant: no secret is ever in Settings: only the name of the environment variable or file that has it.
Each field's description is the administrators' reference (`mailrouter describe settings`).
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from mailrouter import yamltext
from mailrouter.core.outcomes import Problem

FILE = "mailrouter.yaml"
_MIRROR_PATHS = ("path", "password_file")  # under registers.<name>


class Model(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # built when first used


class Institution(Model):
    """Who we are."""

    name: str = Field(description="The institution's name, as answers print it.")
    domains: tuple[str, ...] = Field(
        min_length=1, description="Our own mail domains; an author outside them wrote to us."
    )


class TrustSettings(Model):
    """Which mail is believed."""

    authserv_ids: tuple[str, ...] = Field(
        (), description="The authserv-ids that our own servers write into Authentication-Results (RFC 8601)."
    )
    hosts: tuple[str, ...] = Field(
        (), description="Our relays; a Received line from elsewhere above a result voids it."
    )
    internal: Literal["authentication-results", "x-ms-authas", "own-domains"] = Field(
        "authentication-results", description="How an internal author is verified."
    )


class Credentials(Model):
    """A password's place; never the password."""

    password_env: str | None = Field(None, description="Environment variable that has the password.")
    password_file: Path | None = Field(None, description="File that has the password, on its first line.")

    def password(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The secret, read when it is used; None if neither place has it."""
        if self.password_env and environment.get(self.password_env):
            return environment[self.password_env]
        try:
            lines = self.password_file.read_text("utf-8").splitlines() if self.password_file else []
        except (OSError, UnicodeDecodeError):  # not there, not ours to read, no text: told as a missing password
            return None
        return lines[0].strip() if lines else None


class OAuth(Model):
    """OAuth 2 for a mailbox or for SMTP (XOAUTH2)."""

    provider: Literal["microsoft", "generic"] = Field(
        description="microsoft: client credentials; generic: refresh token."
    )
    token_url: str | None = Field(None, description="The token endpoint (generic).")
    tenant: str | None = Field(None, description="The tenant's id (microsoft).")
    client_id: str = Field(description="The application's id.")
    client_secret_env: str | None = Field(None, description="Environment variable that has the client secret.")
    client_secret_file: Path | None = Field(None, description="File that has the client secret.")
    client_secret_expires: str | None = Field(
        None, description="ISO date on which the secret ends; warned days before."
    )
    refresh_token_file: Path | None = Field(None, description="File with the first refresh token (generic).")
    scope: str = Field("https://outlook.office365.com/.default", description="The scope asked for.")


class Imap(Credentials):
    """An IMAP server."""

    host: str = Field(description="Host name.")
    port: int = Field(993, ge=1, le=65535, description="Port.")
    tls: bool = Field(True, description="TLS from the first byte.")
    starttls: bool = Field(False, description="TLS by STARTTLS.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    user: str = Field(description="User name.")
    oauth: OAuth | None = Field(None, description="OAuth 2 instead of a password.")
    timeout_seconds: float = Field(30, gt=0, description="Socket timeout.")


class Folders(Model):
    """Folder names, where the server does not tell them by special use (RFC 6154)."""

    drafts: str = Field("Drafts", description="Where drafts are put if the server names no \\Drafts folder.")
    sent: str = Field("Sent", description="Where sent mail is copied if the server names no \\Sent folder.")


class Mailbox(Model):
    """One functional mailbox: an IMAP account, or a directory of .eml files."""

    name: str = Field(min_length=1, description="A short name, for lists and rules.")
    address: str = Field(description="Its mail address; forwards and drafts go out under it.")
    imap: Imap | None = Field(None, description="The IMAP account.")
    directory: Path | None = Field(None, description="A directory of .eml files instead of an IMAP account.")
    folder: str = Field("INBOX", description="The folder that is watched.")
    folders: Folders = Field(Folders(), description="Folder names.")
    poll_seconds: float = Field(60, gt=0, description="How often the mailbox is polled, IDLE or not.")
    idle: bool = Field(True, description="Whether IDLE wakes the poll.")
    backfill: str = Field("all", description="At first contact: all, nothing, or an ISO date to begin with.")
    size_limit: int = Field(35 * 1024 * 1024, gt=0, description="Bytes; a larger mail is held from its headers.")
    retention_days: int | None = Field(None, gt=0, description="After how many days raw mail and case are erased.")
    registrars: tuple[str, ...] = Field((), description="Who is told of held mail: names, groups or addresses.")

    @field_validator("backfill")
    @classmethod
    def _dated(cls, value: str) -> str:
        if value not in {"all", "nothing"}:
            try:
                datetime.fromisoformat(value)
            except ValueError as error:
                raise ValueError("must be all, nothing, or an ISO date such as 2024-02-29") from error
        return value

    @model_validator(mode="after")
    def _one_source(self) -> "Mailbox":
        if (self.imap is None) == (self.directory is None):
            raise ValueError("a mailbox needs exactly one of 'imap' and 'directory'")
        return self


class Smtp(Credentials):
    """The SMTP server that mail goes out by."""

    host: str = Field(description="Host name.")
    port: int = Field(587, ge=1, le=65535, description="Port.")
    tls: bool = Field(False, description="TLS from the first byte.")
    starttls: bool = Field(False, description="TLS by STARTTLS, required when set.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    user: str | None = Field(None, description="User name, if the server asks for one.")
    oauth: OAuth | None = Field(None, description="OAuth 2 instead of a password.")
    timeout_seconds: float = Field(30, gt=0, description="Timeout of each command.")


class Store(Model):
    """The database."""

    url: str = Field("sqlite:///mailrouter.db", description="SQLAlchemy URL: sqlite or postgresql+psycopg.")
    password_env: str | None = Field(None, description="Environment variable that has the database's password.")


class Reading(Model):
    """Limits of reading one mail; it happens in child processes."""

    seconds: float = Field(60, gt=0, description="Time for one mail.")
    mebibytes: int = Field(1024, ge=128, description="Memory of a reading child, in MiB.")
    workers: int | None = Field(
        None, ge=1, le=64, description="Reading children. Without it one for each processor core, at most four."
    )
    depth: int = Field(8, ge=1, description="How deep containers are opened.")
    parts: int = Field(500, ge=1, description="How many parts a mail may have, opened.")
    megabytes: int = Field(200, ge=1, description="Decoded bytes of all parts together, in MiB.")
    ocr: Literal["tesseract"] | None = Field(None, description="Program that reads scanned pages.")


class Outbox(Model):
    """How effects are performed."""

    lease_seconds: float = Field(120, gt=0, description="How long a node owns an effect; then it is taken over.")
    attempts: int = Field(8, ge=1, description="Attempts before a person is asked.")
    backoff_seconds: float = Field(5, gt=0, description="First wait after a temporary failure; doubled each time.")
    unknown_outcome: Literal["hold", "resend"] = Field(
        "hold", description="What happens when nobody knows if a mail went out."
    )
    batch: int = Field(100, ge=1, description="Effects of one kind in one connection.")
    hops: int = Field(5, ge=1, description="How often a mail may pass through mailrouter before it is held as a loop.")
    received: int = Field(50, ge=1, description="Received lines before a mail is held as a loop (RFC 5321 § 6.3).")
    per_address: int = Field(200, ge=1, description="Mails to one address in an hour before the brake holds.")


class Holds(Model):
    """Held mail."""

    remind_hours: float = Field(
        4, gt=0, description="Working hours before the due time at which registrars are reminded."
    )
    flag: str = Field("\\Flagged", description="The flag that a held mail gets.")


class Reminders(Model):
    """Letters that were not answered in time, and held mail that was not decided in time."""

    overdue_after_days: int = Field(
        1, ge=0, description="Days after the due date until the head of the responsible's unit is reminded."
    )
    repeat_days: int = Field(3, ge=1, description="How many days later they are reminded again; on working days.")


class Settings(Model):
    """config/mailrouter.yaml."""

    institution: Institution = Field(description="Who we are; published with the rules.")
    clock: datetime | None = Field(None, description="The calendar stands there (demo, trying out).")
    timezone: str = Field("Europe/Tallinn", description="Time zone of the register.")
    trust: TrustSettings = Field(TrustSettings(), description="Which mail is believed; published with the rules.")
    mailboxes: tuple[Mailbox, ...] = Field(min_length=1, description="The functional mailboxes.")
    smtp: Smtp = Field(description="Outgoing mail.")
    store: Store = Field(Store(), description="The database.")
    rules: Path = Field(Path("../rules"), description="The rules' working copy.")
    templates: Path = Field(Path("../templates"), description="The templates' working copy.")
    reading: Reading = Field(Reading(), description="Limits of reading.")
    outbox: Outbox = Field(Outbox(), description="How effects are performed.")
    holds: Holds = Field(Holds(), description="Held mail.")
    reminders: Reminders = Field(Reminders(), description="Reminders after the due date.")
    four_eyes: bool = Field(False, description="Whether publishing rules needs a second person.")
    registers: Mapping[str, Any] = Field({}, description="Mirrors of our register: delta, csvfile.")
    log: Literal["json", "console"] = Field("json", description="Form of the log on stderr.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:  # unknown, no relative path, a directory of zones
            raise ValueError("is no time zone, such as Europe/Tallinn") from error
        return value

    @field_validator("clock")
    @classmethod
    def _zoned(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("needs an offset, such as 2024-02-29T13:06:00+02:00")
        return value

    @model_validator(mode="after")
    def _leases(self) -> "Settings":
        timeouts = [self.smtp.timeout_seconds, *(box.imap.timeout_seconds for box in self.mailboxes if box.imap)]
        if self.outbox.lease_seconds <= max(timeouts) + 0.5:
            raise ValueError(
                f"outbox.lease_seconds ({self.outbox.lease_seconds:g}) must be half a second longer than every timeout_seconds "
                f"({max(timeouts):g}): no command starts with less lease left than its timeout"
            )
        return self

    @model_validator(mode="after")
    def _names(self) -> "Settings":
        names = [mailbox.name for mailbox in self.mailboxes]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"mailboxes need different names: {', '.join(sorted(twice))}")
        return self


SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def load(folder: Path) -> tuple[Settings | None, list[Problem]]:
    """Read `folder`/mailrouter.yaml; relative paths in it start at `folder`."""
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None, [Problem(str(path), 0, 0, "no such file; name the folder of settings with --config DIR")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem(str(path), 0, 0, f"cannot be read: {error}")]
    source, problems = yamltext.parse(text, str(path))
    if source is None or problems:
        return None, problems
    checked = yamltext.validate(SETTINGS, source)
    return (_anchored(checked[0], folder.resolve()), []) if checked[0] is not None else checked


def _anchored(settings: Settings, folder: Path) -> Settings:
    """The settings with every relative path made absolute at `folder`."""
    return settings.model_validate(_anchor(settings.model_dump(), folder)).model_copy(
        update={
            "store": settings.store.model_copy(update={"url": _anchor_url(settings.store.url, folder)}),
            "registers": {name: _anchor_mirror(mirror, folder) for name, mirror in settings.registers.items()},
        }
    )


def _anchor_mirror(mirror: Any, folder: Path) -> Any:
    """A mirror's settings, which are read by its own file, with their paths made absolute."""
    if not isinstance(mirror, Mapping):
        return mirror
    paths = {
        key: (folder / Path(value).expanduser()).resolve() for key, value in mirror.items() if key in _MIRROR_PATHS
    }
    return {**mirror, **paths}


def _anchor(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return (folder / value.expanduser()).resolve()
    if isinstance(value, dict):
        return {key: _anchor(item, folder) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_anchor(item, folder) for item in value)
    return value


def _anchor_url(url: str, folder: Path) -> str:
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{(folder / url.removeprefix(prefix)).resolve()}"
    return url


def describe() -> str:
    """Every key with its meaning and default, for administrators."""
    return "\n".join(_described(Settings, 0))


def _described(model: type[BaseModel], depth: int) -> list[str]:
    lines = []
    for name, field in model.model_fields.items():
        default = "" if field.is_required() else _default(field.default)
        lines.append(f"{'  ' * depth}{name}: {field.description or ''}{default}")
        lines += [line for nested in _models(field.annotation) for line in _described(nested, depth + 1)]
    return lines


def _default(value: Any) -> str:
    if isinstance(value, BaseModel) or value is None:
        return ""
    shown = str(value) if isinstance(value, Path) else json.dumps(value, default=str, ensure_ascii=False)
    return f" Default: {shown}."


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, whatever it wraps them in."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
