"""The database that the legacy app and the typed API share: its snapshot, its contract, its statements."""
