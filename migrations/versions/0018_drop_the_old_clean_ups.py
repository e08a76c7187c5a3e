"""drop the old clean-ups of imports: changes in batches do them

Revision ID: 0018
Revises: 0017
"""
import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

WORKFLOWS = sa.table("workflows", sa.column("key", sa.String), sa.column("enabled", sa.Boolean))
OLD = WORKFLOWS.c.key == "propose_cleanups"


def upgrade():
    op.execute(WORKFLOWS.update().where(OLD).values(enabled=False))
    with op.batch_alter_table("import_batches", schema=None) as batch_op:
        batch_op.drop_column("cleanups")


def downgrade():
    with op.batch_alter_table("import_batches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cleanups", sa.INTEGER(), nullable=False, server_default="0"))
    op.execute(WORKFLOWS.update().where(OLD).values(enabled=True))
