"""Proof that modern does what legacy does: observations, their comparison, what has been seen, and the gate."""
