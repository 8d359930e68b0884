"""Alembic's entry: it runs on the connection it is given, inside that connection's transaction."""

from alembic import context

from backend.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter columns in place; batch mode rebuilds the table.
    render_as_batch=True,
)
context.run_migrations()
