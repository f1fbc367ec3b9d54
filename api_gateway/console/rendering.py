"""From a page's values to HTML. Everything is escaped; no template marks anything as safe."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from api_gateway.console import words
from api_gateway.stages import Stage


def render(template: str, **context: Any) -> str:
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("api_gateway.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        ago=words.ago,
        iso=words.iso,
        clock=words.clock,
        count=words.count,
        shown=words.shown,
        visible=words.visible,
    )
    environment.globals.update(percent=words.percent, stages=list(Stage))
    return environment
