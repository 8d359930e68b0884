"""Experiments have tags, and can be put away without being deleted."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    op.add_column("experiment", sa.Column("archived_at", sa.Float(), nullable=True))
    op.create_table(
        "experiment_tag",
        sa.Column("experiment_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_experiment_tag_experiment_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "tag", name="pk_experiment_tag"),
    )
    op.create_index("ix_experiment_tag_tag", "experiment_tag", ["tag"])


def downgrade() -> None:
    op.drop_table("experiment_tag")
    op.drop_column("experiment", "archived_at")
