"""Alembic migrations, run by ``backend.storage.migrate``."""
