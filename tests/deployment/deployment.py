"""The services of docker-compose.yml as processes of this machine: their own commands, environments and health checks.

Only what a container network and its volumes would provide is replaced: host names by loopback, ports by free ones, folders
by throwaway ones. Nothing of the tester's environment reaches a part.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from launcher.broker import server_binary
from tests.deployment.compose import ROOT
from tests.service import free_port, wait_for

HOSTS = {"postgres": "5432", "broker": "6379", "api": "8500", "dashboard": "8501"}
OUR_USER = 10001
PATIENCE_SECONDS = 90.0
DEFAULT_GRACE = "10s"
# The image has both under these names; the server is told its port by them, as `ports` would map it.
_SERVER = '#!/bin/sh\nexec {server} "$@" --bind 127.0.0.1 --port {port}\n'
_CLIENT = """#!{python}
import os, redis
print("PONG" if redis.Redis(port={port}, password=os.environ["REDISCLI_AUTH"]).ping() else "")
"""


class Deployment:
    """Starts services in the order that ``depends_on`` asks for, and knows which process is which."""

    def __init__(self, document: dict[str, Any], folder: Path) -> None:
        self.services: dict[str, dict[str, Any]] = document["services"]
        self.folder = folder
        self.ports = {default: str(free_port()) for default in HOSTS.values()}
        self.bin = folder / "bin"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._provide_broker_commands()
        for name in ("home", "broker"):
            (folder / name).mkdir()
            if unprivileged():
                os.chown(folder / name, OUR_USER, OUR_USER)

    def address(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[HOSTS[service]]}"

    def start(self, name: str) -> None:
        """Start a service once those that it waits for are as it wants them."""
        for other, wanted in self.services[name].get("depends_on", {}).items():
            self._await(other, wanted["condition"])
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(self._command(name), stdout=log, stderr=log, **self._world(name))

    def is_healthy(self, name: str) -> bool:
        """What the service's own health check says."""
        form, *test = self.services[name]["healthcheck"]["test"]
        command = ["/bin/sh", "-c", *test] if form == "CMD-SHELL" else test
        seconds = _seconds(self.services[name]["healthcheck"]["timeout"])
        try:
            return not subprocess.run(
                [self._here(word) for word in command], timeout=3 * seconds, capture_output=True, check=False, **self._world(name)
            ).returncode
        except subprocess.TimeoutExpired:
            return False

    def stop(self, name: str) -> None:
        """Ask a service to end, which must not take it longer than its grace period."""
        self.processes[name].terminate()
        self.processes.pop(name).wait(timeout=_seconds(self.services[name].get("stop_grace_period", DEFAULT_GRACE)))

    def environment(self, name: str) -> dict[str, str]:
        """The service's own, on that of the image."""
        image = {"PATH": f"{self.bin}:{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(self.folder / "home")}
        image |= {"PYTHONUNBUFFERED": "1", "TAUSCOPE_HOME": "/var/lib/tauscope", "PGPORT": "5432", "PGHOST": "127.0.0.1"}
        return {key: self._here(value) for key, value in (image | self.services[name].get("environment", {})).items()}

    def logs(self) -> str:
        return "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in sorted(self.folder.glob("*.log")))

    def _command(self, name: str) -> list[str]:
        return [self._here(word) for word in self.services[name]["command"]]

    def _world(self, name: str) -> dict[str, Any]:
        return {"env": self.environment(name), "cwd": ROOT, "stdin": subprocess.DEVNULL, **unprivileged()}

    def _await(self, name: str, condition: str) -> None:
        if condition == "service_completed_successfully":
            assert self.processes[name].wait(timeout=PATIENCE_SECONDS) == 0, f"{name} failed"
        else:
            assert condition == "service_healthy"
            wait_for(lambda: self.is_healthy(name), f"a healthy {name}", PATIENCE_SECONDS)

    def _here(self, text: str) -> str:
        """Text with this machine's addresses and folders."""
        for host, port in HOSTS.items():
            text = re.sub(rf"(?<=[@/]){host}:{port}\b", f"127.0.0.1:{self.ports[port]}", text)
            text = re.sub(rf"\b127\.0\.0\.1:{port}\b|^{port}$", lambda found, port=port: found[0].replace(port, self.ports[port]), text)
        text = text.replace("/var/lib/tauscope", str(self.folder / "home"))
        return re.sub(r"(?<=dir )/data\b", str(self.folder / "broker"), text)

    def _provide_broker_commands(self) -> None:
        self.bin.mkdir()
        port = self.ports[HOSTS["broker"]]
        texts = {
            "valkey-server": _SERVER.format(server=server_binary(), port=port),
            "valkey-cli": _CLIENT.format(python=sys.executable, port=port),
        }
        for name, text in texts.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)


@cache
def unprivileged() -> dict[str, Any]:
    """What makes a process run as the image's user: nothing, unless the tester is root and that user may read the interpreter."""
    if os.geteuid() != 0:
        return {}
    other = {"user": OUR_USER, "group": OUR_USER, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", "import backend.settings"], cwd=ROOT, env={}, check=True, capture_output=True, **other)  # type: ignore[call-overload]
    except (PermissionError, subprocess.CalledProcessError):
        return {}
    return other


def _seconds(duration: str) -> float:
    assert duration.endswith("s")
    return float(duration[:-1])
