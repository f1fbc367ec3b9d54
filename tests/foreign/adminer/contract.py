"""What the API shows of the stock: drafted by `banyan init`, with its proposals taken up."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from shared_models.contract import Column, Flag, Key, Parent, Resource, Rows


class Supplier(Resource, table="supplier", path="suppliers", rows=Rows.all()):
    """Whom we buy from."""

    number: Annotated[int, Key("sup_no")]
    name: Annotated[str, Column("nm")]
    active: Annotated[bool | None, Flag("act_fl", true="Y", false="N")] = None


class Article(Resource, table="article", path="articles", rows=Rows.all()):
    """What lies on our shelves."""

    number: Annotated[str, Key("art_no")]
    description: Annotated[str, Column("descr")]
    price: Annotated[Decimal, Column("prc")]
    in_stock: int
    supplier: Annotated[Supplier | None, Parent("sup_no")] = None


operations: list[Any] = []
