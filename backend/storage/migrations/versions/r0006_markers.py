"""Runs hold markers beside their onsets: tau_test."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    op.add_column("run", sa.Column("markers", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("run", "markers")
