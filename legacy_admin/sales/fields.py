"""Column types of the old database that Django does not have, and its words for "none" and "yes"."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    CharField = models.CharField[Any, Any]  # str, or str | None where null
    DateTimeField = models.DateTimeField[datetime | str | None, datetime]
else:
    CharField = models.CharField
    DateTimeField = models.DateTimeField

NEVER = date(1900, 1, 1)  # the old system had no NULL dates
OPEN_END = date(9999, 12, 31)
YES_NO = [("Y", "Yes"), ("N", "No")]


class CharNField(CharField):
    """char(n). The database pads with blanks; nobody wants to see them in a form."""

    def db_type(self, connection: Any) -> str:
        # Not "char": bulk_create cuts the length off the name, and a bare char is one letter (2025-06, upload errors).
        return f"bpchar({self.max_length})"

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return None if value is None else value.rstrip(" ")


class LocalDateTimeField(DateTimeField):
    """timestamp without time zone: wall clock in Harrisburg. Django's own field would make it `with time zone`."""

    def db_type(self, connection: Any) -> str:
        return "timestamp"


def local_now() -> datetime:
    """Whole seconds, as the old system stored them."""
    return datetime.now().replace(microsecond=0)
