"""The first schema."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "artifact",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_artifact"),
    )
    op.create_table(
        "experiment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("sweep", sa.JSON(), nullable=False),
        sa.Column("code_version", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
    )
    op.create_table(
        "worker",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("busy", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_worker"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_idempotency_key_experiment_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency_key"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("desired", sa.String(length=12), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("steps_per_second", sa.Float(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("stalls", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("enqueued_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=True),
        sa.Column("checkpoint_step", sa.Integer(), nullable=True),
        sa.Column("onsets", sa.JSON(), nullable=False),
        sa.Column("final", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_run_experiment_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("experiment_id", "index", name="uq_run_experiment_id_index"),
    )
    op.create_index("ix_run_experiment_id", "run", ["experiment_id"])
    op.create_index("run_claimable", "run", ["state", "lease_until"])
    op.create_table(
        "attempt",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("code_version", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("from_step", sa.Integer(), nullable=False),
        sa.Column("to_step", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_attempt_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "epoch", name="pk_attempt"),
    )
    op.create_table(
        "run_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), server_default=db_now(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_event_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_run_event"),
    )
    op.create_index("ix_run_event_run_id", "run_event", ["run_id"])
    op.create_table(
        "run_file",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_file_run_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sha256"], ["artifact.sha256"], name="fk_run_file_sha256"),
        sa.PrimaryKeyConstraint("run_id", "path", name="pk_run_file"),
    )
    op.create_index("ix_run_file_sha256", "run_file", ["sha256"])
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("metric", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_series_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("run_id", "metric", name="uq_series_run_id_metric"),
    )
    op.create_index("ix_series_run_id", "series", ["run_id"])
    op.create_table(
        "metric_point",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_metric_point_series_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series_id", "step", name="pk_metric_point"),
    )
    op.create_index("metric_point_flush", "metric_point", ["series_id", "seq"])


def downgrade() -> None:
    for table in (
        *("metric_point", "series", "run_file", "run_event", "attempt"),
        *("idempotency_key", "run", "worker", "experiment", "artifact"),
    ):
        op.drop_table(table)
