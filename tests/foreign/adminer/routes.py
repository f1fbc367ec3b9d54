"""The migration on one page: of Adminer, whose every page is `/adminer.php`, what people look up in the stock.

Both are counted at `legacy`; the typed API has what they show. All else goes from the edge straight to Adminer.
"""

from __future__ import annotations

from api_gateway.routes import Route

routes: list[Route] = [
    Route("stock.articles", "GET", "/adminer.php", query={"select": "article"}, successor="/api/v1/articles"),
    Route("stock.suppliers", "GET", "/adminer.php", query={"select": "supplier"}, successor="/api/v1/suppliers"),
]
