"""Attempts remember which code wrote the checkpoint they resumed from, and runs that their curve mixes versions."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("resumed_version", sa.String(length=80), nullable=True))
    op.add_column("run", sa.Column("code_note", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("run", "code_note")
    op.drop_column("attempt", "resumed_version")
