"""The database owns the run: tables, repositories, artifacts, migrations, and the outbox of wake-up messages."""
