"""keep what customer lists read

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTS = {"account": "account_no", "opened": "opened_on", "changed": "changed_at"}
# What the rows of search_rows sort by now; the old indexes of customers have no other reader.
OLD = {"ix_customers_name_id": ["name", "id"]}
OLD |= {"ix_customers_opened_on": ["opened_on"], "ix_customers_changed_at": ["changed_at"]}


def upgrade():
    op.create_table(
        "search_rows",
        sa.Column("customer_id", BIG, autoincrement=False, nullable=False),
        sa.Column("unit_id", BIG, nullable=False),
        sa.Column("manager_id", BIG, nullable=True),
        sa.Column("account_no", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("facets", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name="pk_search_rows"),
    )
    for name, column in SORTS.items():
        op.create_index(f"ix_search_rows_{name}", "search_rows", ["unit_id", column, "customer_id", "facets"])
    op.create_index("ix_search_rows_facets", "search_rows", ["facets"])
    for name in OLD:
        op.drop_index(name, "customers")
    for statement in GRAMS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade():
    op.execute("DROP TABLE search_grams")
    for name, columns in OLD.items():
        op.create_index(name, "customers", columns)
    op.drop_table("search_rows")


GRAMS = {
    "sqlite": [
        "CREATE VIRTUAL TABLE search_grams USING fts5"
        "(grams, content='', columnsize=0, detail=none, tokenize='ascii')",
    ],
    "postgresql": [
        "CREATE TABLE search_grams (customer_id bigint PRIMARY KEY, grams integer[] NOT NULL)",
        "CREATE INDEX ix_search_grams_grams ON search_grams USING gin (grams)",
    ],
}
