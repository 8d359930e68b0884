"""Runs have a queue, workers say what they serve, checkpoints can be pinned, and their evaluation is work of its own."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0004"
down_revision: str | None = "0003"

# The code of the last attempt that began before the checkpoint and reached it.
_WRITTEN_BY = """
UPDATE run SET checkpoint_version = (
    SELECT code_version FROM attempt
    WHERE attempt.run_id = run.id AND attempt.from_step < run.checkpoint_step AND attempt.to_step >= run.checkpoint_step
    ORDER BY attempt.epoch DESC LIMIT 1
) WHERE checkpoint_step IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("run", sa.Column("queue", sa.String(length=40), server_default="default", nullable=False))
    op.add_column("run", sa.Column("checkpoint_version", sa.String(length=80), nullable=True))
    op.execute(_WRITTEN_BY)
    op.add_column("worker", sa.Column("queues", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("worker", sa.Column("code_version", sa.String(length=80), server_default="", nullable=False))
    op.add_column("worker", sa.Column("code_version_policy", sa.String(length=10), server_default="refuse", nullable=False))
    op.add_column("worker", sa.Column("draining", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "checkpoint_pin",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("pinned_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_checkpoint_pin_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_checkpoint_pin"),
    )
    op.create_table(
        "evaluation",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("code_version", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("stalls", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("renewed_at", sa.Float(), nullable=False),
        sa.Column("enqueued_at", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_evaluation_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_evaluation"),
    )


def downgrade() -> None:
    op.drop_table("evaluation")
    op.drop_table("checkpoint_pin")
    for column in ("draining", "code_version_policy", "code_version", "queues"):
        op.drop_column("worker", column)
    op.drop_column("run", "checkpoint_version")
    op.drop_column("run", "queue")
