"""Pages of the API for people: what it takes and gives (`/api/docs`), and what each refusal means (`/api/problems`).

Everything they load comes from this gateway, and their Content-Security-Policy lets them load nothing else.
"""

from api_gateway.api.pages.documentation import documentation_routes
from api_gateway.api.pages.problem_types import ProblemTypes, problem_routes

__all__ = ["ProblemTypes", "documentation_routes", "problem_routes"]
