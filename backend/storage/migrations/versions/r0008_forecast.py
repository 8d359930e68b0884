"""Forecasts of tau_mem are kept, with what they learn from."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    op.add_column("run", sa.Column("forecast", sa.JSON(), nullable=True))
    op.create_table(
        "trajectory",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("domain", sa.String(length=12), nullable=False),
        sa.Column("configuration", sa.String(length=12), nullable=False),
        sa.Column("n_train", sa.Integer(), nullable=False),
        sa.Column("crossings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_trajectory_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_trajectory"),
    )
    op.create_index("ix_trajectory_domain", "trajectory", ["domain"])
    op.create_table(
        "forecast",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("median", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_forecast_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_forecast"),
    )
    op.create_index("ix_forecast_version", "forecast", ["version"])


def downgrade() -> None:
    op.drop_table("forecast")
    op.drop_table("trajectory")
    op.drop_column("run", "forecast")
