"""Banyan's own tables: everything it keeps in the shared database, all in schema `banyan`.

    consumer, credential, register    who may call, by what they are known, and the version of that knowledge
    ledger, process                   the history of moves, and which process has acknowledged which version
    freeze, plan                      whether anything moves by itself, and what moves a route step by step
    pulse, check_result               how modern fares just now, and what a project's own checks say
    outage                            what a changed schema took out of service, and what came back
    call_count, comparison            who calls what, and how candidate and legacy compare
    idempotency, journal              what the API answered under a key, and what it wrote
    reverted                          what of it somebody else put back
    job, job_fault                    on whose behalf a job runs, how far it is, why it failed, and rows of it
    verified                          what `banyan verify` proved of a candidate
    recording, unlisted               requests kept for replay, masked; what the edge saw of what is not listed
    upload, upload_part               files for a job, in parts
    console_account                   who may enter the console
    account_session, refresh_token    who is signed in at the API, and the hashes of what renews it

The queue beside them belongs to procrastinate (`job_tables`). Times are `timestamptz` and are always set by the
database's clock, because the clocks of the machines around it may jump. Where a caller may be nobody and the column is
part of a key, nobody is written as the empty string.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from shared_models.state_metadata import JSONB, SCHEMA, metadata, moment
from shared_models.state_rollouts import check_result, freeze, plan, pulse
from shared_models.state_traffic import recording, unlisted

__all__ = [
    "API",
    "CHANNEL",
    "JSONB",
    "OWNER",
    "READ",
    "ROLES",
    "SCHEMA",
    "check_result",
    "freeze",
    "metadata",
    "plan",
    "pulse",
    "recording",
    "unlisted",
]  # fmt: skip

CHANNEL = "banyan_state"
"""The NOTIFY channel: something that a Watcher carries has changed. The payload is empty; readers read the tables."""

OWNER, API, READ = "banyan_owner", "banyan_api", "banyan_read"
ROLES = (OWNER, API, READ)

consumer = Table(
    "consumer",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("values", JSONB, nullable=False, server_default=text("'{}'"), comment="row scoping: principal.value(name)"),
    Column("per_minute", Integer, comment="requests of the typed API; 0: any number; null: as the project says"),
    Column("contact", Text, nullable=False, server_default=text("''"), comment="for people: whom to write to"),
    Column("notes", Text, nullable=False, server_default=text("''")),
    Column("version", Text, comment="of the typed API, where an address names none"),
    CheckConstraint("per_minute >= 0", name="consumer_per_minute"),
    moment("created"),
)

credential = Table(
    "credential",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("consumer", Text, ForeignKey(consumer.c.code), nullable=False),
    Column("kind", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, comment="sha256 of the secret; the secret itself is kept nowhere"),
    Column("hint", Text, nullable=False, comment="enough to tell two credentials apart, too little to use one"),
    moment("created"),
    moment("revoked", nullable=True, default=False),
    moment("last_used", nullable=True, default=False),
    moment("expires", nullable=True, default=False),
    Column("scopes", ARRAY(Text), comment="null: the consumer's; else those of them that this key has"),
    Column("is_test", Boolean, nullable=False, server_default=text("false"), comment="all it writes is rolled back"),
    CheckConstraint(
        "kind in ('api_key', 'query', 'form', 'header', 'basic', 'path', 'certificate')", name="credential_kind"
    ),
    Index("credential_live", "kind", "hash", unique=True, postgresql_where=text("revoked is null")),
    Index("credential_consumer", "consumer"),
)

register = Table(
    "register",
    metadata,
    Column("only", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("only", name="register_has_one_row"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("version", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("consumer", Text, comment="null: the route itself, for everyone without a stage of their own"),
    Column("from_stage", Text, nullable=False),
    Column("to_stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSONB, comment="the gate's criteria as they stood at the move"),
    Column("overridden", Text, comment="who moved it without the evidence"),
    Column("members", ARRAY(Text), comment="routes of a group that this entry moves together; null: the route alone"),
    Column("share", Double, comment="percent of those whom nobody names; null: everyone"),
    CheckConstraint("kind in ('promotion', 'rollback', 'automatic')", name="ledger_kind"),
    CheckConstraint("share IS NULL OR share > 0 AND share < 100 AND consumer IS NULL", name="ledger_share"),
    Index("ledger_place", "route", "consumer", text("version desc")),
)

outage = Table(
    "outage",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("reasons", JSONB, nullable=False, server_default=text("'[]'"), comment="table, column and message of each"),
    CheckConstraint("subject in ('resource', 'operation', 'route')", name="outage_subject"),
    CheckConstraint("change in ('out', 'back')", name="outage_change"),
    Index("outage_place", "subject", "name", text("id desc")),
)

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("build", Text, nullable=False),
    moment("started"),
    moment("seen"),
    Column("acknowledged", BigInteger, nullable=False, comment="ledger version this process acts on"),
    Column("register_version", BigInteger, nullable=False),
    CheckConstraint("kind in ('app', 'worker', 'observer', 'edge')", name="process_kind"),
)

call_count = Table(
    "call_count",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("route", Text, primary_key=True),
    Column("consumer", Text, primary_key=True, comment="empty: nobody was named"),
    Column("stage", Text, primary_key=True),
    Column("answerer", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    moment("last_at"),
)

comparison = Table(
    "comparison",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("route", Text, nullable=False),
    Column("consumer", Text),
    Column("fingerprint", Text, nullable=False, comment="of the candidate; a changed candidate starts from zero"),
    Column("verdict", Text, nullable=False),
    Column("shape", Text, nullable=False, comment="of the request"),
    Column("outcome", Text, nullable=False, comment="of the control: status and media type"),
    Column("differences", JSONB, nullable=False, server_default=text("'[]'"), comment="masked"),
    Column("control_ms", Double),
    Column("candidate_ms", Double),
    Column("request", JSONB, nullable=False, comment="masked"),
    CheckConstraint(
        "verdict in ('match', 'mismatch', 'ignored', 'intended', 'inconclusive')", name="comparison_verdict"
    ),
    Index("comparison_evidence", "route", "consumer", "fingerprint", "at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer, comment="null until the answer of the claiming transaction is known"),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    moment("created_at"),
    moment("expires_at", default=False),
    Index("idempotency_expiry", "expires_at"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("principal", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("table", Text, nullable=False),
    Column("key", JSONB, nullable=False),
    Column("columns", ARRAY(Text), nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("schema", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("request", Text, comment="the request's id"),
    CheckConstraint("verb in ('insert', 'update', 'delete')", name="journal_verb"),
    Index("journal_time", "at"),
)

reverted = Table(
    "reverted",
    metadata,
    Column("journal", BigInteger, primary_key=True, autoincrement=False, comment="the entry, which is cut back sooner"),
    moment("seen"),
    Column("written", DateTime(timezone=True), nullable=False, comment="when the API wrote it"),
    Column("principal", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("request", Text),
    Column("schema", Text, nullable=False),
    Column("table", Text, nullable=False),
    Column("key", JSONB, nullable=False),
    Column("columns", ARRAY(Text), nullable=False, comment="those that hold what they held before"),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB),
    Index("reverted_time", "seen"),
)

job = Table(
    "job",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="procrastinate's, and gone with it"),
    Column(
        "ref", UUID(as_uuid=False), nullable=False, server_default=text("gen_random_uuid()"), comment="its name outside"
    ),
    Column("owner", Text, nullable=False, comment="kind and code of the principal"),
    Column("request", Text, comment="id of the request that enqueued it"),
    Column("deadline", Double, comment="seconds a run may take; null: as the task says"),
    moment("created"),
    moment("started", nullable=True, default=False),
    moment("finished", nullable=True, default=False),
    Column(
        "run",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="the present one: an earlier one can commit nothing more",
    ),
    Column(
        "failures", Integer, nullable=False, server_default=text("0"), comment="a worker that was stopped is no failure"
    ),
    Column(
        "step", BigInteger, nullable=False, server_default=text("0"), comment="counts changes that a watcher may see"
    ),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("total", BigInteger),
    Column("position", JSONB, comment="where it goes on after an interruption; the task's own"),
    Column("result", JSONB, comment="what the task tells its owner"),
    Column("error", JSONB, comment="class and place, or the problem the task raised"),
    Column("faults", Integer, nullable=False, server_default=text("0"), comment="rows that could not be taken"),
    Index("job_ref", "ref", unique=True),
    Index("job_owner", "owner", "id"),
)

verified = Table(
    "verified",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("asked", BigInteger, nullable=False, comment="requests that were put to both sides"),
    Column("mismatches", BigInteger, nullable=False),
    Column("inconclusive", BigInteger, nullable=False),
    Column("wrote", BigInteger, nullable=False, comment="requests of them that left rows behind"),
    Column("shapes", JSONB, nullable=False, server_default=text("'{}'")),
    Column("outcomes", JSONB, nullable=False, server_default=text("'{}'")),
    Index("verified_candidate", "route", "fingerprint", text("id desc")),
)

# The keys to procrastinate's jobs are the database's business: that table is not ours to describe.
upload = Table(
    "upload",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("job", BigInteger, comment="null: it still arrives, or nobody took it"),
    Column("owner", Text, nullable=False),
    moment("created"),
    Column("digest", LargeBinary, comment="sha256 of the whole content"),
    Column("bytes", BigInteger),
    Column("lines", BigInteger),
    Index("upload_job", "job"),
    Index("upload_content", "owner", "digest"),
)

upload_part = Table(
    "upload_part",
    metadata,
    Column("upload", BigInteger, ForeignKey(upload.c.id, ondelete="CASCADE"), primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False, comment="bytes before it"),
    Column("data", LargeBinary, nullable=False),
)

job_fault = Table(
    "job_fault",
    metadata,
    Column("job", BigInteger, primary_key=True, autoincrement=False),
    Column("row", BigInteger, primary_key=True, autoincrement=False, comment="line of the file, from 1"),
    Column("n", Integer, primary_key=True, autoincrement=False, server_default=text("0")),
    Column("field", Text),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("raw", Text, comment="the beginning of the row as it came"),
)

console_account = Table(
    "console_account",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    moment("created"),
    CheckConstraint("role in ('viewer', 'operator')", name="console_account_role"),
)

account_session = Table(
    "account_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False, comment="of banyan.toml: [accounts.NAME]"),
    Column("account", Text, nullable=False, comment="the id of the legacy row, as text"),
    Column("seal", Text, nullable=False, comment="changes with the account's password"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("legacy", Text, comment="encrypted: the session of the legacy app that it was born of, and ends with"),
    moment("created"),
    moment("last_used"),
    moment("expires", default=False),
    moment("ended", nullable=True, default=False),
    Column("why", Text, comment="of its end"),
    Index("account_session_account", "source", "account", postgresql_where=text("ended is null")),
    Index("account_session_ended", "ended", postgresql_where=text("ended is not null")),
    Index("account_session_expiry", "expires"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="sha256 of the token; the token itself is kept nowhere"),
    Column("session", Text, ForeignKey(account_session.c.id, ondelete="CASCADE"), nullable=False),
    moment("created"),
    moment("used", nullable=True, default=False),
    Column("salt", LargeBinary, comment="of the token that followed"),
    Index("refresh_token_session", "session"),
)
