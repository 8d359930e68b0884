"""``python -m backend`` as a process: what it refuses, and how it stops."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-W", "error", "-m", "backend"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No settings but the home."""
    return {**{key: value for key, value in os.environ.items() if not key.startswith("TAUSCOPE_")}, "TAUSCOPE_HOME": str(tmp_path / "home")}


@pytest.fixture
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process on a free port, and its address."""
    process = subprocess.Popen([*COMMAND, "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    line = next(line for line in process.stderr if "api_listening" in line)
    port = re.search(r"port=(\d+)", line)
    assert port
    yield process, f"http://127.0.0.1:{port[1]}/api/v1"
    process.kill()
    process.communicate()


def test_it_refuses_other_hosts_without_a_token_and_names_the_setting(environment: dict[str, str]) -> None:
    done = subprocess.run([*COMMAND, "--host", "0.0.0.0"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "TAUSCOPE_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_names_a_port_that_is_taken_and_the_option(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert port in done.stderr
    assert "--port" in done.stderr


def test_it_makes_its_database_and_stops_on_a_signal_though_a_stream_is_open(
    serving: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, address = serving
    with httpx.Client(base_url=address, trust_env=False) as client:
        experiment = client.post("/experiments", json={"preset": "digits-ci"}).json()["id"]
        assert (tmp_path / "home" / "tauscope.db").exists()
        with client.stream("GET", f"/experiments/{experiment}/events") as stream:
            chunks = stream.iter_bytes()
            next(chunks)
            process.send_signal(signal.SIGTERM)
            list(chunks)
    process.wait(60)
    assert process.returncode in (0, -signal.SIGTERM)
