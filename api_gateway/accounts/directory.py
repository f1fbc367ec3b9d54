"""Finds accounts of the legacy app, as banyan_owner: the only role of ours that may read their password hashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from api_gateway.accounts.passwords import NOBODYS, is_readable
from api_gateway.accounts.rows import Account, Hosts, account_of, any_password, by_id, by_username, hosts_query
from api_gateway.identities import Source
from shared_models.database import Database, ReadTransaction
from shared_models.faults import BadValue

_LONGEST = 512


class Directory:
    """Raises DatabaseFault where the database is away, or the tables are not as banyan.toml says."""

    def __init__(self, sources: Mapping[str, Source], database: Database) -> None:
        self.sources, self._database = sources, database
        self._ordinary: dict[str, str] = {}
        self._hosts: dict[str, Hosts] = {}

    async def by_username(self, source: str, username: str) -> Account | None:
        if not username or len(username) > _LONGEST or "\0" in username:
            return None
        async with self._database.read() as tx:
            query = by_username(self.sources[source], username, await self._hosts_of(tx, source))
            return await self._one(tx, source, query)

    async def by_id(self, source: str, value: str) -> Account | None:
        async with self._database.read() as tx:
            return await self.by_id_in(tx, source, value)

    async def by_id_in(self, tx: ReadTransaction, source: str, value: str) -> Account | None:
        """Inside a transaction. None too when the id could not be one."""
        if len(value) > _LONGEST or "\0" in value:
            return None
        try:
            return await self._one(tx, source, by_id(self.sources[source], value, await self._hosts_of(tx, source)))
        except BadValue:
            return None

    async def ordinary_hash(self, source: str) -> str:
        """A hash of this table, to be checked where there is no account: it then takes as long as with one."""
        if source not in self._ordinary:
            async with self._database.read() as tx:
                found = await tx.value(any_password(self.sources[source]))
            if not isinstance(found, str) or not is_readable(found):
                return NOBODYS
            self._ordinary[source] = found
        return self._ordinary[source]

    async def _hosts_of(self, tx: ReadTransaction, source: str) -> Hosts:
        if source not in self._hosts:
            rows = await tx.rows(hosts_query(self.sources[source].table))
            self._hosts[source] = {row["name"]: row["host"] for row in rows}
        return self._hosts[source]

    async def _one(self, tx: ReadTransaction, source: str, query: sa.Select[Any]) -> Account | None:
        rows = await tx.rows(query)
        return account_of(source, self.sources[source], rows[0]) if len(rows) == 1 else None
