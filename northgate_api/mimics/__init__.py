"""Answers in the legacy endpoints' own shape. Each file goes when its route is retired."""
