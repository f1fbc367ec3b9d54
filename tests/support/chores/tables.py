"""The one table of this database."""

import sqlalchemy as sa

chore = sa.Table(
    "chore", sa.MetaData(), sa.Column("what", sa.Text), sa.Column("by", sa.Text), sa.Column("run", sa.Integer)
)
SQL = 'CREATE TABLE chore (what text, "by" text, run integer)'
