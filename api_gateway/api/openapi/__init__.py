"""The OpenAPI 3.1 document of the API, one file per kind of thing in it.

document     composes the whole: FastAPI's own paths, the resources', the shared components
paths        which paths a resource has: the one place where kinds of requests are joined
reads        GET of a list and of one row
filters      what a list may be filtered by       patterns     groups of such conditions
parameters   what else a reading request takes    shared       parameters told once, as components
exports      GET of a whole list as a file
aggregates   GET of a list summed up
operations   what FastAPI cannot know of a hand-written operation; jobs: where they are
responses    every refusal and every header, as components that all paths refer to
schemas      the documents of resources and problems (JSON Schema 2020-12)

A new kind (writes, exports) is a file like `reads` and a line in `paths`.
"""

from api_gateway.api.openapi.document import document, frozen, install

__all__ = ["document", "frozen", "install"]
