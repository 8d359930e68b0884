"""Runs have a priority, and how many of an experiment compute is counted at every claim."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    # Neither needs the table to be rebuilt, on SQLite or on Postgres: runs in flight only wait for a moment.
    op.add_column("run", sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    op.create_index("run_busy", "run", ["experiment_id", "state"])


def downgrade() -> None:
    op.drop_index("run_busy", "run")
    op.drop_column("run", "priority")
