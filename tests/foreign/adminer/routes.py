"""The migration on one page: nothing of Adminer is listed yet, so all of it goes from the edge straight to legacy."""

from __future__ import annotations

from api_gateway.routes import Route

routes: list[Route] = []
