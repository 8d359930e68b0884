"""``python -m launcher up``, whole: it survives the death of each part and its own, and leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.processes import started_at
from launcher.readiness import answers_ok
from tests.service import free_port, wait_for

PARTS = {"broker", "api", "dashboard", "worker", "reconciler"}


class Up:
    """The command, as a user starts it in a terminal."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.api_port = free_port(), free_port()
        self.output = home.parent / "up.log"
        self.environment = {**os.environ, "TAUSCOPE_TRAINER_MODULE": "tests.worker.fake_child"}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        options = ["--home", str(self.home), "--port", str(self.port), "--api-port", str(self.api_port)]
        return [sys.executable, "-m", "launcher", "up", *options]

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=output, stderr=output, start_new_session=True)
        wait_for(lambda: self.ready() or self.ended())
        assert not self.ended(), self.output.read_text()

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def ready(self) -> bool:
        ready = f"http://127.0.0.1:{self.api_port}/api/v1/ready"
        return answers_ok(ready) and answers_ok(f"http://127.0.0.1:{self.port}/_stcore/health")

    def again(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)

    def parts(self) -> dict[str, tuple[int, str]]:
        path = self.home / "parts.json"
        return {name: (pid, identity) for name, (pid, identity) in json.loads(path.read_text()).items()} if path.exists() else {}

    def alive(self) -> set[str]:
        return {name for name, (pid, identity) in self.parts().items() if started_at(pid) == identity}

    def signal(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "home")
    yield up
    if not up.ended():
        up.signal(signal.SIGTERM)


def test_the_stack_survives_the_death_of_every_part_and_of_its_supervisor(up: Up) -> None:
    up.start()
    assert up.alive() == PARTS

    second = up.again()
    assert second.returncode == 1
    assert "already runs" in second.stderr and f"http://127.0.0.1:{up.port}" in second.stderr

    before = up.parts()
    for pid, _ in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: up.alive() == PARTS and up.ready())
    assert not {pid for pid, _ in up.parts().values()} & {pid for pid, _ in before.values()}

    left = up.parts()
    assert up.signal(signal.SIGKILL) == -signal.SIGKILL
    up.start()
    for name, (pid, identity) in left.items():
        assert started_at(pid) != identity, f"{name} outlived its supervisor"

    assert up.signal(signal.SIGINT) == 0
    assert up.alive() == set()
    assert "Stop with Ctrl-C" in up.output.read_text()


def test_a_part_that_cannot_start_shows_the_end_of_its_log_and_stops_the_rest(up: Up) -> None:
    up.environment["TAUSCOPE_SLOTS"] = "0"
    result = up.again()
    assert result.returncode == 1
    assert re.search("the (worker|reconciler) did not start", result.stderr)
    assert "TAUSCOPE_SLOTS" in result.stderr and "greater than or equal to 1" in result.stderr
    assert up.alive() == set()


def test_a_taken_port_is_refused_before_anything_starts(up: Up) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", up.api_port))
        holder.listen()
        result = up.again()
    assert result.returncode == 1
    assert f"port {up.api_port} is taken" in result.stderr and "--api-port" in result.stderr
    assert not (up.home / "logs").exists()


def test_a_setting_of_the_demo_that_names_nothing_is_refused_before_anything_starts(up: Up) -> None:
    command = [*up.command[:3], "demo", *up.command[4:], "--set", "lerning_rate=1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 2
    assert "lerning_rate" in result.stderr
    assert not up.home.exists()
