"""`make bench`: the typed API beside its peers and floors, on one database in one run, in CPU per request.

It measures processor time per process, not the clock, so a busy machine changes little of it; sides take turns
within every round, and the median of the rounds counts.
"""
