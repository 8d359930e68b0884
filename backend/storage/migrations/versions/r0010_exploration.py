"""Explorations: runs chosen one after another within a budget, with a log of the decisions."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    op.create_table(
        "exploration",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("budget", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="running", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("decided", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_exploration_experiment_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_exploration"),
    )
    op.create_index("ix_exploration_experiment_id", "exploration", ["experiment_id"])
    op.create_index("ix_exploration_state", "exploration", ["state"])
    op.create_table(
        "exploration_decision",
        sa.Column("exploration_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), server_default=db_now(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("used", sa.JSON(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("remaining", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["exploration_id"], ["exploration.id"], name="fk_exploration_decision_exploration_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("exploration_id", "number", name="pk_exploration_decision"),
    )


def downgrade() -> None:
    op.drop_table("exploration_decision")
    op.drop_table("exploration")
