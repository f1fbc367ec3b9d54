"""The migration on one page: of Adminer, whose every page is `/adminer.php`, what people look up in the stock.

The pages are counted at `legacy`; the typed API has what they show. What programs ask of them has mimics, for `verify`.
All else goes from the edge straight to Adminer.
"""

from __future__ import annotations

from api_gateway.routes import Ignore, Route

from .mimics import exported_articles, new_supplier, shown_suppliers

routes: list[Route] = [
    Route("stock.articles", "GET", "/adminer.php", query={"select": "article"}, successor="/api/v1/articles"),
    Route("stock.suppliers", "GET", "/adminer.php", query={"select": "supplier"}, successor="/api/v1/suppliers"),
    Route(
        "stock.export",
        "POST",
        "/adminer.php",
        query={"select": "article", "where[0][col]": "descr", "where[0][op]": "LIKE %%"},
        form={"export": "Export", "format": "csv", "output": "text"},
        reads=True,
        mimic=exported_articles,
        successor="/api/v1/articles",
    ),
    Route(
        "stock.supplier-rows",
        "GET",
        "/adminer.php",
        query={"select": "supplier", "where[0][col]": "nm", "where[0][op]": "LIKE %%"},
        header={"X-Requested-With": "XMLHttpRequest"},
        mimic=shown_suppliers,
        successor="/api/v1/suppliers",
    ),
    Route(
        "stock.new-supplier",
        "POST",
        "/adminer.php",
        query={"edit": "supplier"},
        mimic=new_supplier,
        fields=("fields[nm]", "fields[act_fl]"),
        ignore=(Ignore("/html/**", "Adminer's page around its error; that nothing is written counts"),),
        successor="/api/v1/suppliers",
    ),
]
