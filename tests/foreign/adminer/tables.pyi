"""The legacy tables, typed. Generated from schema.lock.json by `banyan check --write`: do not edit."""

from decimal import Decimal

import sqlalchemy as sa

metadata: sa.MetaData

class ArticleColumns(sa.TypedColumns):
    """public.article"""

    art_no: sa.Named[str]
    sup_no: sa.Named[int]
    descr: sa.Named[str]
    prc: sa.Named[Decimal]
    in_stock: sa.Named[int]

article: sa.Table[ArticleColumns]

class SupplierColumns(sa.TypedColumns):
    """public.supplier"""

    sup_no: sa.Named[int]
    nm: sa.Named[str]
    act_fl: sa.Named[str]

supplier: sa.Table[SupplierColumns]
