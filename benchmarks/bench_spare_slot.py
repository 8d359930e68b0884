"""One run on a worker of two slots: its samples drawn by the spare slot against drawn while training waits.

The ratio is of the seconds from the run's start to its end, whole services started in turn. Needs two idle cores.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from launcher.readiness import answers_ok
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate

SETTINGS = {"n_train": [32], "steps": 400, "n_generated": 512, "measurement.schedule": {"kind": "log_spaced", "first": 20, "count": 12}}
REPETITIONS = 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def seconds(policy: str) -> float:
    port, home = free_port(), tempfile.mkdtemp()
    environment = {**os.environ, "TAUSCOPE_HOME": home, "TAUSCOPE_SLOTS": "2", "TAUSCOPE_DEFER_SAMPLES": policy}
    command = [sys.executable, "-m", "launcher", "up", "--port", str(free_port()), "--api-port", str(port)]
    service = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while not answers_ok(f"{url}/api/v1/ready"):
        time.sleep(0.2)
    time.sleep(8)  # Both children have loaded PyTorch.
    try:
        return run_seconds(url)
    finally:
        service.terminate()
        service.wait()


def run_seconds(url: str) -> float:
    with TauscopeClient(url) as client:
        view = client.launch(ExperimentCreate(preset="digits-ci", settings=SETTINGS))
        started = time.monotonic()
        while client.experiment(view.id).state not in ("finished", "failed"):
            time.sleep(0.2)
        return time.monotonic() - started


def main() -> None:
    pairs = [(seconds("never"), seconds("spare")) for _ in range(REPETITIONS)]
    ratio = statistics.median(waits / spare for waits, spare in pairs)
    print(f"a run whose samples a spare slot draws ends {ratio:.2f} times as fast as one that draws them itself (median of {REPETITIONS})")


if __name__ == "__main__":
    main()
