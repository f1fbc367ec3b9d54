"""The clock of everything: Harrisburg wall clock in whole seconds, as the old system stored it."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from northgate_api.contract import ZONE


def local_now() -> datetime:
    return datetime.now(ZoneInfo(ZONE)).replace(microsecond=0, tzinfo=None)


def today() -> date:
    return local_now().date()
