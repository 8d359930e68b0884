"""One migrated Postgres database for test after test: to delete what a test left costs a tenth of making a new one."""

import uuid

import psycopg

from backend.storage.tables import Base

# Whatever a test may change besides rows: then the database is not used again.
_SCHEMA = """
SELECT md5(concat(
    (SELECT string_agg(version_num, ' ') FROM alembic_version),
    (SELECT string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull), ',' ORDER BY attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND NOT attisdropped),
    (SELECT string_agg(pg_get_constraintdef(oid), ',' ORDER BY oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'),
    (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting)
)), pg_database_size(current_database())
"""
# Deleted rows stay in the files for a while; a database that grew that much is slow to look through.
_GROWN_BYTES = 8 * 2**20


class ReusedDatabase:
    """Hands out a copy of a template: a new one, or the one that came back, emptied and under a new name."""

    def __init__(self, server: str, template: str) -> None:
        """``server`` is an address that ends in the database ``postgres`` and its options."""
        self._server = server
        self._template = template
        self._new = self.state(template)
        self._free: str | None = None

    def take(self) -> str:
        """The name of an empty database with the newest schema; whoever had one before does not know this name."""
        name = f"test_{uuid.uuid4().hex}"
        if not (self._free and self._rename(self._free, name)):
            # FILE_COPY, since to log every page of the copy takes longer where nothing waits for the disk.
            self._order(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        self._free = None
        return name

    def give_back(self, name: str) -> None:
        """Empty the database for the next test; one that is altered in another way is dropped."""
        try:
            self._empty(name)
            schema, size = self.state(name)
        except psycopg.Error:
            schema, size = "unknown", 0
        if schema == self._new[0] and size < self._new[1] + _GROWN_BYTES:
            self._free = name
        else:
            self._order(f"DROP DATABASE {name} WITH (FORCE)")

    def _empty(self, name: str) -> None:
        with self._connect(name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [name]
            )
            # Without foreign keys and triggers no table needs to come before another.
            deletions = ";".join(f'DELETE FROM "{table}"' for table in Base.metadata.tables)
            connection.execute(f"SET session_replication_role = replica; {deletions}".encode())
            connection.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")

    def state(self, name: str) -> tuple[str, int]:
        """A digest of the schema, and the size in bytes."""
        with self._connect(name) as connection:
            found = connection.execute(_SCHEMA).fetchone()
        assert found is not None
        return str(found[0]), int(found[1])

    def _rename(self, old: str, new: str) -> bool:
        """Whether it could be renamed, which it cannot while somebody is connected to it."""
        try:
            self._order(f"ALTER DATABASE {old} RENAME TO {new}")
        except psycopg.Error:
            self._order(f"DROP DATABASE {old} WITH (FORCE)")
            return False
        return True

    def _order(self, statement: str) -> None:
        with self._connect("postgres") as connection:
            connection.execute(statement.encode())

    def _connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self._server.replace("/postgres?", f"/{name}?"), autocommit=True)
