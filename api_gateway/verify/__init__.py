"""Both sides, each on its own copy of the database, fed the same requests: the proof that needs no traffic.

`run` is the whole story; `copies` and `capture` make the databases, `sides` the two that answer, `generate` what is
asked, `judge` compares answers and write sets, `shrink` looks for the smallest request that shows a difference.
"""
