"""keep counts in sets

Revision ID: 0007
Revises: 0006
"""
import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

BEST = """
    SELECT v.verdict, v.recorder_id, v.customer_id, v.kind, row_number() OVER (
        PARTITION BY v.customer_id, v.kind
        ORDER BY v.preferred DESC, CASE v.verdict WHEN 'valid' THEN 0 WHEN 'repairable' THEN 1 WHEN 'suspect' THEN 2
            WHEN 'invalid' THEN 3 WHEN 'missing' THEN 4 ELSE 9 END, v.id DESC
    ) AS place
    FROM contacts v WHERE v.state = 'current'
"""
ITEMS = f"""
    SELECT coalesce(substr(CAST(c.opened_on AS VARCHAR(10)), 1, 7), '') AS opened, c.unit_id,
        coalesce(CASE WHEN b.verdict IS NULL OR b.verdict = 'missing' THEN c.manager_id ELSE b.recorder_id END, 0)
            AS staff_id,
        c.customer_class, coalesce(b.verdict, 'missing') AS verdict
    FROM customers c JOIN required_fields r ON r.customer_class = c.customer_class
    LEFT JOIN ({BEST}) b ON b.customer_id = c.id AND b.kind = r.kind AND b.place = 1
    WHERE c.closed_on IS NULL
"""  # noqa: S608 constants only

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('quality_counts',
    sa.Column('set_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('opened', sa.String(length=7), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('customer_class', sa.String(length=30), nullable=False),
    sa.Column('required', sa.Integer(), nullable=False),
    sa.Column('recorded', sa.Integer(), nullable=False),
    sa.Column('good', sa.Integer(), nullable=False),
    sa.Column('valid', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_quality_counts_unit_id')),
    sa.PrimaryKeyConstraint('set_id', 'opened', 'unit_id', 'staff_id', 'customer_class', name=op.f('pk_quality_counts')),
    sqlite_with_rowid=False
    )
    op.create_table('count_sets',
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('counted_to', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_count_sets_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_count_sets'))
    )
    op.drop_table("contact_counts")
    op.create_table(
        "contact_counts",
        sa.Column("set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_contact_counts_unit_id")),
        sa.PrimaryKeyConstraint("set_id", "unit_id", "kind", "verdict", name=op.f("pk_contact_counts")),
        sqlite_with_rowid=False,
    )
    _fill()


def _fill():
    """Count what is there: set 0 is read until another was built."""
    op.execute(
        "INSERT INTO contact_counts (set_id, unit_id, kind, verdict, number)"
        " SELECT 0, unit_id, kind, verdict, count(*) FROM contacts WHERE state = 'current'"
        " GROUP BY unit_id, kind, verdict"
    )
    for opened, grouped in (("i.opened", "i.opened, "), ("'*'", "")):
        op.execute(
            "INSERT INTO quality_counts (set_id, opened, unit_id, staff_id, customer_class, required, recorded, good,"
            f" valid) SELECT 0, {opened}, i.unit_id, i.staff_id, i.customer_class, count(*),"  # noqa: S608
            " sum(CASE WHEN i.verdict <> 'missing' THEN 1 ELSE 0 END),"
            " sum(CASE WHEN i.verdict IN ('valid', 'repairable') THEN 1 ELSE 0 END),"
            " sum(CASE WHEN i.verdict = 'valid' THEN 1 ELSE 0 END)"
            f" FROM ({ITEMS}) i GROUP BY {grouped}i.unit_id, i.staff_id, i.customer_class"
        )


def downgrade():
    op.drop_table('count_sets')
    op.drop_table('quality_counts')
    op.drop_table("contact_counts")
    op.create_table(
        "contact_counts",
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_contact_counts_unit_id")),
        sa.PrimaryKeyConstraint("kind", "verdict", "unit_id", name=op.f("pk_contact_counts")),
    )
    op.execute(
        "INSERT INTO contact_counts (unit_id, kind, verdict, number)"
        " SELECT unit_id, kind, verdict, count(*) FROM contacts WHERE state = 'current'"
        " GROUP BY unit_id, kind, verdict"
    )
