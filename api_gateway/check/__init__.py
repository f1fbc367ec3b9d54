"""`banyan check`: do contract, snapshot, live schema, its rows and the frozen OpenAPI document agree?

One file per kind of disagreement. Each is a function from what is compared to what it found; `everything` lists them.
"""

from api_gateway.check.disagreement import CODES, Disagreement, Severity
from api_gateway.check.everything import disagreements

__all__ = ["CODES", "Disagreement", "Severity", "disagreements"]
