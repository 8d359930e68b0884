"""Runs know their twin, with whose predictions theirs are compared."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.add_column("run", sa.Column("twin_id", sa.String(length=32), nullable=True))
    op.create_index("ix_run_twin_id", "run", ["twin_id"])


def downgrade() -> None:
    op.drop_index("ix_run_twin_id", "run")
    op.drop_column("run", "twin_id")
