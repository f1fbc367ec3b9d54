"""The report as one page without anything outside of it: for a ticket, or for whoever signs the move."""

from __future__ import annotations

from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from api_gateway.evidence.compare import Verdict
from api_gateway.verify.findings import Report
from api_gateway.verify.report import answer_lines, row_line

_environment = Environment(
    loader=PackageLoader("api_gateway.verify"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(report: Report, project: str) -> str:
    """HTML, self-contained; every value of the data is escaped."""
    return _environment.get_template("report.html").render(
        report=report,
        project=project,
        made=datetime.now(UTC),
        verdicts=list(Verdict),
        answer_lines=answer_lines,
        row_line=row_line,
    )
