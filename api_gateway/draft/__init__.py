"""The draft: a project folder for a schema that nobody here has seen, written by `banyan init`.

    snapshot ─► sample (what the rows show) ─► plan (resources, fields, relations, what is left out and why)
             ─► source (contract.py) ─► folder (written files; a second run changes nothing, edits are kept)

Everything up to the source is pure: the same snapshot and sample give the same text.
"""
