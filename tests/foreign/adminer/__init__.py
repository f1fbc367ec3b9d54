"""A foreign app and the project beside it."""
