"""Hooks are told of onsets, warnings and ends, through an outbox; every attempt to deliver is kept."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("secret", sa.String(length=120), nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_webhook_experiment_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
    )
    op.create_index("ix_webhook_experiment_id", "webhook", ["experiment_id"])
    op.create_table(
        "notification",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("webhook_id", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), server_default="", nullable=False),
        sa.Column("experiment_id", sa.String(length=32), nullable=True),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.Float(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name="fk_notification_webhook_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_notification_experiment_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_notification_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
    )
    op.create_index("notification_due", "notification", ["state", "due_at"])
    op.create_index("notification_of_hook", "notification", ["webhook_id", "id"])
    op.create_index("ix_notification_experiment_id", "notification", ["experiment_id"])
    op.create_index("ix_notification_run_id", "notification", ["run_id"])
    op.create_table(
        "notification_attempt",
        sa.Column("notification_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), server_default=db_now(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notification.id"], name="fk_notification_attempt_notification_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notification_id", "number", name="pk_notification_attempt"),
    )


def downgrade() -> None:
    for table in ("notification_attempt", "notification", "webhook"):
        op.drop_table(table)
