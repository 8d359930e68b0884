"""Checkpoints are measured again with other settings, into sets of points beside the run's own."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    op.create_table(
        "remeasurement",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_remeasurement_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_remeasurement"),
        sa.UniqueConstraint("run_id", "key", name="uq_remeasurement_run_id_key"),
    )
    op.create_index("ix_remeasurement_run_id", "remeasurement", ["run_id"])
    op.create_table(
        "remeasured_step",
        sa.Column("remeasurement_id", sa.String(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("written_by", sa.String(length=80), nullable=True),
        sa.Column("code_version", sa.String(length=80), nullable=True),
        sa.Column("from_step", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("stalls", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("enqueued_at", sa.Float(), nullable=False),
        sa.Column("renewed_at", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["remeasurement_id"], ["remeasurement.id"], name="fk_remeasured_step_remeasurement_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("remeasurement_id", "step", name="pk_remeasured_step"),
    )
    op.create_table(
        "remeasured_point",
        sa.Column("remeasurement_id", sa.String(length=32), nullable=False),
        sa.Column("metric", sa.String(length=80), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["remeasurement_id"], ["remeasurement.id"], name="fk_remeasured_point_remeasurement_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("remeasurement_id", "metric", "step", name="pk_remeasured_point"),
    )


def downgrade() -> None:
    op.drop_table("remeasured_point")
    op.drop_table("remeasured_step")
    op.drop_table("remeasurement")
