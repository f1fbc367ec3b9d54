"""A stored value as text, for the journal and for whoever compares with it: equal values have equal images."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

LONGEST = 2000
"""Characters; a longer text is kept as its digest."""


def image_of(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    text = sa.cast(column, sa.Text)
    digest = sa.literal_column("'md5:'").op("||")(sa.func.md5(text))
    return sa.case((sa.func.length(text) > sa.literal_column(str(LONGEST), sa.Integer), digest), else_=text)
