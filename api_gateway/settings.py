"""Settings: what differs between machines, read once from `BANYAN_*` variables, never changed afterwards.

What belongs to the project and holds on every machine stands in its `banyan.toml` (see `project`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from api_gateway.errors import UsageError

LOOKING = 1
"""Connections of a gateway, besides its pool and its exports, by which it looks at the schema."""


class Settings(BaseSettings):
    """Every setting, its default and its meaning. Addresses are `postgresql://` URLs, durations are seconds."""

    model_config = SettingsConfigDict(env_prefix="BANYAN_", frozen=True, extra="ignore")

    project: Path = Field(Path("northgate_api"), description="The project's folder: the one with banyan.toml.")
    state_dir: Path = Field(Path(".banyan"), description="Where files of the running instance live.")

    database_url: SecretStr | None = Field(
        None, description="Administrator's connection: migrate, grants, init, check."
    )
    owner_database_url: SecretStr | None = Field(
        None, description="Connection as banyan_owner: ledger, register, evidence."
    )
    api_database_url: SecretStr | None = Field(
        None, description="Connection as banyan_api: the typed API and operations."
    )
    read_database_url: SecretStr | None = Field(None, description="Connection as banyan_read: candidates.")

    legacy_url: str | None = Field(None, description="Where the legacy app listens; overrides banyan.toml.")
    edge_host: str = Field("127.0.0.1", description="Address the edge listens on.")
    edge_port: int = Field(8000, ge=0, le=65535, description="Port the edge listens on.")
    console_host: str = Field("127.0.0.1", description="Address the console listens on.")
    console_port: int = Field(8010, ge=0, le=65535, description="Port of the console; never the edge's.")
    gateway_ports: str = Field("8021,8022", description="Ports of the gateways, separated by commas.")
    observer_port: int = Field(8031, ge=0, le=65535, description="Port of the observer (gRPC).")
    pass_secret: SecretStr | None = Field(None, description="Shared by edge and gateways: marks a declined request.")
    session_secret: SecretStr | None = Field(None, description="Signs console sessions and cursors.")
    token_secrets: SecretStr | None = Field(None, description="Sign access tokens, newest first, separated by commas.")
    legacy_secret_key: SecretStr | None = Field(None, description="The legacy app's SECRET_KEY, to read its sessions.")

    verify_password: SecretStr | None = Field(None, description="{password} of [verify.login]: signs verify in.")

    pool_size: int = Field(8, ge=1, le=200, description="Database connections of one gateway process.")
    connection_budget: int = Field(0, ge=0, description="Connections of all gateways together; 0: no ceiling.")
    pooler: Literal["none", "transaction"] = Field("none", description="What stands before the API's database.")
    statement_timeout: float = Field(5.0, gt=0, description="Seconds a statement of the API may take.")
    lock_timeout: float = Field(1.0, gt=0, description="Seconds a statement of the API may wait for a lock.")
    job_concurrency: int = Field(2, ge=1, le=64, description="Jobs that one worker runs at a time, each in a process.")
    job_memory: int = Field(512, ge=64, description="MiB that one job's process may take.")
    job_statement_timeout: float = Field(60.0, gt=0, description="Seconds a statement of a job may take.")
    job_heartbeat: float = Field(
        2.0,
        gt=0,
        description="Seconds between a worker's signs of life; after five without one its jobs go on elsewhere.",
    )
    exports: int = Field(2, ge=1, le=50, description="Files that one gateway process writes at a time.")
    export_timeout: float = Field(600.0, gt=0, description="Seconds an export may take.")
    notice_webhook: SecretStr | None = Field(
        None, description="Where it is told, as JSON by POST, that something went back by itself."
    )
    smtp_url: SecretStr | None = Field(
        None, description="Mail server for such notices: smtp://user:password@host:587, or smtps://."
    )
    acknowledge_timeout: float = Field(1.0, gt=0, description="Seconds a move waits for every live process.")
    log_format: Literal["json", "console"] = Field("json", description="Form of the log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    @property
    def gateways(self) -> tuple[int, ...]:
        return tuple(int(port) for port in self.gateway_ports.split(",") if port.strip())

    def pool_share(self, live: int = 0) -> int:
        """How large one gateway's pool may be while `live` of them share the budget: those that are listed at least.

        One that starts so never has to wait until the others have noticed it.
        """
        if not self.connection_budget:
            return self.pool_size
        sharing = max(1, live, len(self.gateways))
        return max(1, min(self.pool_size, self.connection_budget // sharing - self.exports - LOOKING))

    @model_validator(mode="after")
    def _enough_for_each(self) -> Self:
        least = len(self.gateways) * (self.exports + LOOKING + 1)
        if 0 < self.connection_budget < least:
            raise ValueError(f"BANYAN_CONNECTION_BUDGET: these gateways and their exports need {least} at least")
        return self

    def require(self, name: str) -> str:
        """The value of a secret setting. Raises UsageError naming the variable when it is not set."""
        value = getattr(self, name)
        if value is None:
            raise UsageError(f"BANYAN_{name.upper()} is not set.", hint=type(self).model_fields[name].description)
        return str(value.get_secret_value())


@cache
def settings() -> Settings:
    """The settings of this process. Raises UsageError with one line per variable that cannot be read."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(_told(fault) for fault in error.errors())
        raise UsageError(f"unreadable settings: {faults}") from None


def _told(fault: ErrorDetails) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    return f"BANYAN_{str(fault['loc'][0]).upper()}: {message}" if fault["loc"] else message
