"""Data sets that users registered under a name, and what a run says of its images."""

import sqlalchemy as sa
from alembic import op

from backend.storage.database import db_now

revision: str = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    op.add_column("run", sa.Column("remarks", sa.JSON(), server_default="[]", nullable=False))
    op.create_table(
        "dataset",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("attribution", sa.Text(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), server_default=db_now(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["artifact.sha256"], name="fk_dataset_sha256"),
        sa.PrimaryKeyConstraint("name", name="pk_dataset"),
    )
    op.create_index("ix_dataset_sha256", "dataset", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_dataset_sha256", "dataset")
    op.drop_table("dataset")
    op.drop_column("run", "remarks")
