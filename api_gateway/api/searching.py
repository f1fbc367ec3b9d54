"""Words in text, as an index on the same expression finds them: `to_tsvector('english', descr)`; or in a tsvector."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from shared_models.prepared import parameter
from shared_models.resources import BoundResource
from shared_models.spelling import cast_to, quoted_text
from shared_models.values import Expression, as_text


def found(resource: BoundResource, row: NamedFromClause[Any], *, searched: bool) -> list[Expression]:
    """The rows in which the words of `q` are."""
    if not searched or resource.search is None:
        return []
    language: Expression = sa.literal_column(f"{quoted_text(resource.search.language)}::pg_catalog.regconfig")
    query = sa.func.websearch_to_tsquery(language, cast_to(parameter("q"), "text"))
    if resource.search.stored is not None:
        return [row.c[resource.search.stored].op("@@", is_comparison=True)(query)]
    texts: list[Expression] = [as_text(row.c[name]) for name in resource.search.columns]
    if len(texts) > 1:
        texts = [sa.func.coalesce(text, sa.literal_column("''")) for text in texts]
    whole = texts[0]
    for text in texts[1:]:
        whole = whole.op("||")(sa.literal_column("' '")).op("||")(text)
    return [sa.func.to_tsvector(language, whole).op("@@", is_comparison=True)(query)]
