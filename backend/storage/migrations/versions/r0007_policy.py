"""A run may be stopped by its policy, and says why."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    op.add_column("run", sa.Column("verdict", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("run", "verdict")
