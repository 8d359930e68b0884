"""What open watch pages cost the servers: CPU seconds of the API and of the dashboard for each second that so many pages watch.

Every page holds an event stream and asks for the page's regions and for bounded curves once a second, as a page does whose runs
flush every second. Two runs train meanwhile on the real stack; what the browsers themselves spend is not in it.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

PAGES, SECONDS = 12, 30.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def cpu_seconds(word: str) -> float:
    """User and system time of every process of ours whose command line holds a word."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, stat = (folder / "cmdline").read_bytes().decode().replace("\0", " "), (folder / "stat").read_text()
        except OSError:
            continue  # It ended meanwhile.
        if word in command:
            total += sum(map(int, stat.rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return total


async def page(client: httpx.AsyncClient, identifier: str, until: float) -> int:
    stream = asyncio.create_task(_listen(client, identifier))
    answers = 0
    while time.monotonic() < until:
        start = time.monotonic()
        answers += (await client.get(f"/view/experiments/{identifier}?theme=light&width=1060&viewport=900")).status_code == 200
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - start)))
    stream.cancel()
    return answers


async def _listen(client: httpx.AsyncClient, identifier: str) -> None:
    async with client.stream("GET", f"/api/v1/experiments/{identifier}/events") as response:
        async for _ in response.aiter_bytes():
            pass


async def watched(url: str, identifier: str) -> int:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as client:
        return sum(await asyncio.gather(*[page(client, identifier, time.monotonic() + SECONDS) for _ in range(PAGES)]))


def main() -> None:
    port, api_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "launcher", "up", "--port", str(port), "--api-port", str(api_port), "--home", home]
        stack = subprocess.Popen(command, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                identifier = started(client)
                before = {word: cpu_seconds(word) for word in (f"--port {api_port} ", f"--port {port} --api-url")}
                answers = asyncio.run(watched(url, identifier))
                spent = [cpu_seconds(word) - was for word, was in before.items()]
                points = sum(
                    len(s["step"])
                    for run in client.get(f"/api/v1/experiments/{identifier}/curves").json()["runs"].values()
                    for s in run.values()
                )
        finally:
            stack.send_signal(signal.SIGINT)
            stack.wait(60)
    share = [seconds / SECONDS for seconds in spent]
    print(f"{PAGES} pages, {answers} answers in {SECONDS:.0f} s, {points:,} points: API {share[0]:.2f}, dashboard {share[1]:.2f} cores")


def started(client: httpx.Client) -> str:
    """A sweep that trains for longer than the measurement."""
    for _ in range(240):
        try:
            if client.get("/api/v1/ready").status_code == 200:
                break
        except httpx.TransportError:
            pass  # Not yet.
        time.sleep(0.5)
    settings = {"steps": 100_000, "overrides": {}, "n_train": [8, 16]}
    answer = client.post("/api/v1/experiments", json={"preset": "digits-ci", "settings": settings})
    answer.raise_for_status()
    time.sleep(10)
    return str(answer.json()["id"])


if __name__ == "__main__":
    main()
