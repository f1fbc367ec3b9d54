"""A project whose API stands in two versions over one table: v1 shows a name, v2 what it is made of."""
