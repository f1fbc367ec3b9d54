"""The legacy tables, each made when it is asked for; their types: tables.pyi. Generated from schema.lock.json."""

from __future__ import annotations

import sqlalchemy as sa

from shared_models.project_tables import tables_beside

metadata = sa.MetaData()
__getattr__ = tables_beside(
    __file__,
    metadata,
    {
        "article": ("public", "article"),
        "supplier": ("public", "supplier"),
    },
)
