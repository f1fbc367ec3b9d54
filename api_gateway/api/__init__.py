"""The typed API of the contract: request, then select or write, then answer.

Resources are one raw ASGI route inside a FastAPI application; operations are ordinary FastAPI handlers beside it.
"""
