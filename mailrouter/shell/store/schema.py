"""The tables, each column with what it means. The database is the only state of the service.

Invariant: what `metadata` says and what the migrations build is the same (tested). Times: `*_at` ISO with offset are the
calendar's; `*_epoch` are seconds by the database's own clock, for leases and waiting.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A mail's content, once however often it comes.
messages = Table(
    "messages",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("raw", LargeBinary),  # null after erasure, or when the mail was over the size limit
    Column("reading", Text),  # what the words say, JSON; null after erasure
    Column("reader", String(40)),  # the reader's version that wrote `reading`
    Column("seen_at", String(40), nullable=False),
)

# One row for every UID of every epoch: the ledger that proves nothing is lost.
# seen → settled | held | gone;  held → settled (retried) | released;  never deleted.
intake = Table(
    "intake",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mailbox", String(200), nullable=False),
    Column("folder", String(500), nullable=False),
    Column("uidvalidity", Integer, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("sha256", String(64)),  # null until fetched
    Column("state", String(10), nullable=False),
    Column("received_at", String(40)),
    Column("sender", String(500)),
    Column("subject", Text),
    Column("case_json", Text),  # the Case as decided; null after erasure
    Column("ruleset", String(64)),
    Column("rules", Text),  # names of the matching rules, JSON list
    Column("trace", Text),  # the matching rules' trace, JSON
    Column("hold_code", String(60)),
    Column("hold_reason", Text),
    Column("hold_due_at", String(40)),  # a held mail still runs against the law's one working day
    Column("entry_id", Integer, ForeignKey("entries.id")),  # registered as, or linked to
    Column("closed_by", String(200)),  # who released it
    Column("closed_reason", Text),
    Column("same_as", Integer, ForeignKey("intake.id")),  # the row of an earlier epoch that this UID is
    Column("at_uidvalidity", Integer),  # where the mail is now, if not where it was seen: new epoch
    Column("at_uid", Integer),
    Column("settled_at", String(40)),
    UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),
    Index(None, "mailbox", "state"),
    Index(None, "sha256"),
    Index(None, "state", "id"),
)

# How far each epoch of each folder was listed, and how the mailbox fares.
epochs = Table(
    "epochs",
    metadata,
    Column("mailbox", String(200), primary_key=True),
    Column("folder", String(500), primary_key=True),
    Column("uidvalidity", Integer, primary_key=True),
    Column("last_uid", Integer, nullable=False),
    Column("since_at", String(40), nullable=False),
    Column("current", Boolean, nullable=False),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("mailbox", String(200), primary_key=True),
    Column("folder", String(500), nullable=False),
    Column("state", String(10), nullable=False),  # ok | failing
    Column("since_at", String(40), nullable=False),  # since when in this state
    Column("last_fetch_at", String(40)),  # the last proven fetch
    Column("error", Text),
)

# The register. Every change also writes a row of entry_history; nothing is overwritten unseen.
entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("number", String(120), nullable=False),
    Column("counter", Integer),
    Column("suffix", Integer),
    Column("direction", String(10), nullable=False),
    Column("series", String(60), nullable=False),
    Column("registered_at", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("due", String(10)),
    Column("responsible", String(200)),
    Column("stem", String(140)),  # series and counter: what replies join; null where nothing may join
    Column("message", String(64)),
    Column("data", Text, nullable=False),  # core.register.Entry as JSON
    Column("sent", Boolean),  # outgoing: False = numbered, but not sent
    UniqueConstraint("number", "id"),
    Index(None, "number"),
    Index(None, "stem", "suffix"),
    Index(None, "series", "id"),
    Index(None, "state", "due"),
    Index(None, "state", "id"),
    Index(None, "responsible", "id"),
)

entry_history = Table(
    "entry_history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("entry_id", Integer, ForeignKey("entries.id"), nullable=False, index=True),
    Column("at", String(40), nullable=False),
    Column("who", String(200), nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
)

# What a letter is recognised by: identity, thread and history keys of core.register.
entry_keys = Table(
    "entry_keys",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("entry_id", Integer, ForeignKey("entries.id"), primary_key=True),
    Index(None, "entry_id"),  # all keys of a found entry
)

# Rows that settle locks, in key order, so that two forwards of one letter meet.
identities = Table("identities", metadata, Column("key", String(300), primary_key=True))

counters = Table(
    "counters",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Integer, nullable=False),  # the last one given
)

# The outbox: everything outside the database, one row each. States and transitions: shell/outbox.py.
effects = Table(
    "effects",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("intake_id", Integer, ForeignKey("intake.id"), index=True),
    Column("mailbox", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("rule", String(300), nullable=False),
    Column("position", Integer, nullable=False),
    Column("payload", Text),  # core.effects.Effect as JSON; null after erasure
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", String(40)),  # the calendar's time before which it waits (reminders); null: at once
    Column("not_before_epoch", Float, nullable=False),  # backoff
    Column("token", String(40)),  # of the claim
    Column("lease_epoch", Float),  # the claim's end
    Column("recovering", Boolean, nullable=False, default=False),  # an earlier try ended nobody knows how
    Column("error", Text),
    Column("result", Text),  # JSON: recipients' outcomes, the new UID
    Column("done_at", String(40)),
    Column("done_epoch", Float),  # when it was done, by the database's clock, for the brakes
    Index(None, "state", "kind", "not_before_epoch"),
    Index(None, "mailbox", "done_epoch"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("effect_key", String(64), nullable=False, unique=True),
    Column("intake_id", Integer, ForeignKey("intake.id"), index=True),
    Column("mailbox", String(200), nullable=False),
    Column("state", String(10), nullable=False),  # waiting | approved | sent | rejected | withdrawn
    Column("purpose", String(20), nullable=False),
    Column("content", Text, nullable=False),  # core.effects.DraftEffect as JSON, as it stands now
    Column("digest", String(64), nullable=False),  # of text, recipients, subject, attachments: what approval binds to
    Column("answers", String(120)),  # the number of the letter that sending it closes
    Column("approved_by", String(200)),
    Column("approved_at", String(40)),
    Column("entry_id", Integer, ForeignKey("entries.id")),  # the outgoing entry, from approval on
    Column("revision", Integer, nullable=False),  # each change makes a new copy in Drafts, under a new Message-ID
    Column("note", Text),  # why an approval fell, the difference
    Column("sought", Boolean, nullable=False, default=False),  # Sent was searched for an answer older than the draft
)

rulesets = Table(
    "rulesets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("files", Text, nullable=False),  # JSON: name → text
)

publications = Table(
    "publications",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), ForeignKey("rulesets.digest"), nullable=False),
    Column("at", String(40), nullable=False),
    Column("author", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Column("second", String(200)),  # who agreed, where four eyes are asked for
    Column("in_force", Boolean, nullable=False),  # False while it waits for the second person
)

# Who polls which mailbox, who refreshes which token.
leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(60)),
    Column("until_epoch", Float),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),  # a rotated refresh token; never shown or logged
)

# What persons did: approvals, releases, retries, erasures.
acts = Table(
    "acts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(40), nullable=False),
    Column("who", String(200), nullable=False),
    Column("what", String(40), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("why", Text, nullable=False),
)
