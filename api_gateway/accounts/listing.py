"""The living sign-ins at the API as an operator looks at them, and ends them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shared_models.state import CHANNEL, account_session

_session = account_session.c
_now = sa.func.clock_timestamp()
_lives = sa.and_(_session.ended.is_(None), _session.expires > _now)


def living(*, account: str | None = None, limit: int = 50) -> sa.Select[Any]:
    """One row per sign-in, the last used first. `account`: only those of `SOURCE:ID`, or of a whole source."""
    return (
        sa.select(
            _session.id,
            sa.func.concat_ws(":", _session.source, _session.account).label("account"),
            _session.scopes,
            _session.legacy.is_not(None).label("of_legacy"),
            _session.created,
            _session.last_used,
            _session.expires,
        )
        .where(_lives, _of(account))
        .order_by(_session.last_used.desc(), _session.id)
        .limit(limit)
    )


def ending(*, account: str | None = None, sign_in: str | None = None) -> sa.Update:
    """End those of an account (`SOURCE:ID`), of a source, the one of this id; without either every one.

    Its rows: `id`, `account`. Gateways hear of it by `notice`, in the same transaction.
    """
    one = _session.id == sign_in if sign_in is not None else sa.true()
    return (
        sa.update(account_session)
        .where(_lives, _of(account), one)
        .values(ended=_now, why="operator")
        .returning(_session.id, sa.func.concat_ws(":", _session.source, _session.account).label("account"))
    )


def notice() -> sa.Select[Any]:
    return sa.select(sa.func.pg_notify(CHANNEL, ""))


def _of(account: str | None) -> sa.ColumnElement[bool]:
    if account is None:
        return sa.true()
    source, colon, number = account.partition(":")
    whose = _session.source == source
    return sa.and_(whose, _session.account == number) if colon else whose
