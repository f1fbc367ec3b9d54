"""Staff only, and pages of a list."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import user_passes_test
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

View = Callable[..., HttpResponseBase]


def staff(view: View) -> View:
    """Everybody else is sent to the login page."""
    return user_passes_test(lambda user: bool(user.is_active and getattr(user, "is_staff", False)))(view)


def page_of(request: HttpRequest, rows: QuerySet[Any], size: int) -> Page[Any]:
    """Any nonsense in ?page= shows the first or the last page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
