"""add scan batches, sheets and key jobs

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "scan_batches",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("sides", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=400), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_scan_batches_staff_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_scan_batches_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_batches")),
    )
    with op.batch_alter_table("scan_batches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scan_batches_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "sheets",
        sa.Column("scan_batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=1), nullable=False),
        sa.Column("token", sa.String(length=10), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("form_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("placed", sa.JSON(), nullable=False),
        sa.Column("residual", sa.Float(), nullable=True),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.Column("keying_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["staff.id"], name=op.f("fk_sheets_decided_by_id")),
        sa.ForeignKeyConstraint(
            ["form_version_id"], ["form_versions.id"], name=op.f("fk_sheets_form_version_id")
        ),
        sa.ForeignKeyConstraint(["keying_id"], ["keyings.id"], name=op.f("fk_sheets_keying_id")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_sheets_letter_id")),
        sa.ForeignKeyConstraint(["scan_batch_id"], ["scan_batches.id"], name=op.f("fk_sheets_scan_batch_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_sheets_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheets")),
        sa.UniqueConstraint("scan_batch_id", "file", "side", name=op.f("uq_sheets_scan_batch_id_file_side")),
    )
    with op.batch_alter_table("sheets", schema=None) as batch_op:
        batch_op.create_index("ix_sheets_batch_state", ["scan_batch_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheets_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheets_keying_id"), ["keying_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheets_letter_id"), ["letter_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheets_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheets_token"), ["token"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheets_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "key_jobs",
        sa.Column("sheet_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("held_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.String(length=12), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        sa.Column("keyed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("keyed_at", UtcDateTime(), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.ForeignKeyConstraint(["held_by_id"], ["staff.id"], name=op.f("fk_key_jobs_held_by_id")),
        sa.ForeignKeyConstraint(["keyed_by_id"], ["staff.id"], name=op.f("fk_key_jobs_keyed_by_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_key_jobs_sheet_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_key_jobs_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_jobs")),
        sa.UniqueConstraint("sheet_id", "field", "turn", name=op.f("uq_key_jobs_sheet_id_field_turn")),
    )
    with op.batch_alter_table("key_jobs", schema=None) as batch_op:
        batch_op.create_index("ix_key_jobs_queue_state", ["queue", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_jobs_unit_id"), ["unit_id"], unique=False)


def downgrade():
    with op.batch_alter_table("key_jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_jobs_unit_id"))
        batch_op.drop_index("ix_key_jobs_queue_state")

    op.drop_table("key_jobs")
    with op.batch_alter_table("sheets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheets_unit_id"))
        batch_op.drop_index(batch_op.f("ix_sheets_token"))
        batch_op.drop_index(batch_op.f("ix_sheets_state"))
        batch_op.drop_index(batch_op.f("ix_sheets_letter_id"))
        batch_op.drop_index(batch_op.f("ix_sheets_keying_id"))
        batch_op.drop_index(batch_op.f("ix_sheets_digest"))
        batch_op.drop_index("ix_sheets_batch_state")

    op.drop_table("sheets")
    with op.batch_alter_table("scan_batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scan_batches_unit_id"))

    op.drop_table("scan_batches")
