"""The dashboard and its API on a store of 1,000 runs and 1.7 million points, on SQLite and on Postgres.

Everything is the real thing but the training: the store is written as a worker writes it (``generated_store``), API and dashboard are
processes of their own, and Chromium opens the pages where there is one. Each request is made once cold and five times warm. Beside the
seconds on the wall stand the CPU seconds of both processes, which a busy machine moves less. Pages are opened three times in one browser
after both processes have started anew, so that the first time is cold everywhere. It ends with one table.

    python benchmarks/bench_store.py [--experiments 25] [--steps 60] [--long-steps 1000] [--requests 40] [--one] [--keep FOLDER]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import BrowserContext, sync_playwright
from sqlalchemy import create_engine, func, select

from backend.storage.database import open_database, session_factory
from backend.storage.migrate import upgrade
from backend.storage.tables import Base, Experiment, MetricPoint, Run
from benchmarks.generated_store import Size, generate
from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.postgres import Postgres
from tests.service import free_port

WARM = 5
_OPENED = 3
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """A request's seconds on the wall and of both processes, and what it brought."""

    wall: float
    cpu: float
    n_bytes: int


@dataclass(frozen=True)
class Measured:
    """The first time, and the median of the times after it."""

    cold: Spent
    warm: Spent


class Service:
    """API and dashboard on one store, as processes."""

    def __init__(self, api: subprocess.Popen[bytes], pages: subprocess.Popen[bytes], origin: str) -> None:
        self._processes = (api, pages)
        self.origin = origin
        self.client = httpx.Client(base_url=origin, timeout=600, trust_env=False)

    def cpu(self) -> float:
        """User and system seconds so far."""
        stats = [Path(f"/proc/{process.pid}/stat").read_text() for process in self._processes]
        return sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats) / _TICK

    def resident(self) -> list[float]:
        """MB of memory that each process holds, API first."""
        statuses = [Path(f"/proc/{process.pid}/status").read_text() for process in self._processes]
        return [int(status.partition("VmRSS:")[2].split()[0]) / 1000 for status in statuses]

    def ask(self, address: str) -> Spent:
        cpu, start = self.cpu(), time.perf_counter()
        answer = self.client.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.text[:300]}"
        return Spent(time.perf_counter() - start, self.cpu() - cpu, len(answer.content))

    def measure(self, what: str, address: str) -> Measured:
        cold = self.ask(address)
        print(f"  {what}: first {cold.wall:.2f} s, {cold.cpu:.2f} s of a core, {cold.n_bytes / 1000:,.0f} kB", flush=True)
        warm = [self.ask(address) for _ in range(WARM)]
        # A clock tick is 10 ms: CPU seconds are those of all together, shared out.
        return Measured(cold, Spent(statistics.median(item.wall for item in warm), sum(item.cpu for item in warm) / WARM, cold.n_bytes))


@contextmanager
def serving(database_url: str, home: Path) -> Iterator[Service]:
    """The service on a store; nothing computes."""
    api_port, port = free_port(), free_port()
    environment = {**os.environ, "TAUSCOPE_DATABASE_URL": database_url, "TAUSCOPE_HOME": str(home), "TAUSCOPE_API_PORT": str(api_port)}
    environment["TAUSCOPE_BROKER_URL"] = "redis://127.0.0.1:1/0"
    with ExitStack() as stack:
        log = stack.enter_context((home / "log").open("ab"))
        command = [sys.executable, "-m", "backend"]
        api = stack.enter_context(_ended(subprocess.Popen(command, env=environment, stdout=log, stderr=log)))
        _wait(f"http://127.0.0.1:{api_port}/api/v1/health")
        command = [sys.executable, "-m", "frontend", "--port", str(port), "--api-url", f"http://127.0.0.1:{api_port}"]
        pages = stack.enter_context(_ended(subprocess.Popen(command, env=environment, stdout=log, stderr=log)))
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield Service(api, pages, f"http://127.0.0.1:{port}")


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait(address: str) -> None:
    for _ in range(1200):
        try:
            if httpx.get(address, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # Not yet.
        time.sleep(0.1)
    raise TimeoutError(address)


def addresses(long: str, other: str) -> dict[str, str]:
    """What is asked of the service; ``long`` is the experiment with the long curves."""
    api = f"/api/v1/experiments/{long}"
    return {
        "list, API": "/api/v1/experiments?limit=25",
        "list, census": "/api/v1/experiments/census",
        "list, rows": "/view/experiments",
        "search, API": "/api/v1/experiments?limit=25&q=sweep+n+%3E+64+lr+%3C+0.01",
        "search, rows": "/view/experiments?q=sweep+n+%3E+64+lr+%3C+0.01",
        "experiment, API": api,
        "curves, 120 points": f"{api}/curves?max_points=120",
        "curves, 200 points": f"{api}/curves?max_points=200",
        "curves, all": f"{api}/curves",
        "warnings, API": f"{api}/warnings",
        "experiment, regions": f"/view/experiments/{long}?theme=light&width=1060&viewport=900",
        "law, regions": f"/view/law/{long}",
        "law at 40 %, regions": f"/view/law/{long}?measure=0.4",
        "probes, regions": f"/view/probes/{long}",
        "compare, regions": f"/view/compare?experiments={long},{other}",
        "system, regions": "/view/system",
        "forecasts, API": "/api/v1/forecasts/calibration",
        "forecasts, regions": "/view/forecasts",
    }


def pages(long: str, other: str) -> dict[str, str]:
    """What a reader opens."""
    return {
        "list": "/experiments",
        "experiment": f"/experiment?id={long}",
        "law": f"/law?id={long}",
        "compare": f"/compare?experiments={long},{other}",
        "system": "/system",
        "forecasts": "/forecasts",
    }


def opened(origin: str, wanted: dict[str, str]) -> dict[str, list[float]]:
    """Seconds until each page is ready in a fresh tab of a browser that has been here, and the experiment from a click in the list."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        context = browser.new_context()
        found = {name: [_open(context, origin + address) for _ in range(_OPENED)] for name, address in wanted.items()}
        found["experiment, from the list"] = [_click(context, origin + wanted["list"]) for _ in range(_OPENED)]
        browser.close()
    return found


def _open(context: BrowserContext, address: str) -> float:
    page = context.new_page()
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("[data-ready=yes]", state="attached", timeout=300_000)
    seconds = time.perf_counter() - start
    page.close()
    return seconds


def _click(context: BrowserContext, address: str) -> float:
    """The list's first experiment, which is the newest."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-ready=yes]", state="attached", timeout=300_000)
    link = page.locator('a[href^="/experiment?id="]').first
    start = time.perf_counter()
    link.click()
    page.wait_for_selector('[data-ready=yes] [data-chart="watch"] .main-svg, [data-ready=yes] .tau-chart .main-svg', timeout=300_000)
    seconds = time.perf_counter() - start
    page.close()
    return seconds


def filled(url: str, size: Size) -> str:
    """The address of a store of this size: one that is there already is used again."""
    upgrade(url)
    engine = open_database(url)
    sessions = session_factory(engine)
    with sessions() as session:
        known = session.scalar(select(func.count()).select_from(Experiment))
    if not known:
        generate(sessions, size)
    with sessions() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Experiment, Run, MetricPoint)]
    print(f"{engine.dialect.name}: {counts[0]:,} experiments, {counts[1]:,} runs, {counts[2]:,} points", flush=True)
    engine.dispose()
    return url


def copied(source: str, target: str) -> str:
    """Every row of a SQLite store in an empty one on Postgres, as drivers give and take it: JSON stays text, a truth value 0 or 1."""
    upgrade(target)
    engine, other = create_engine(source), open_database(target)
    with engine.connect() as reader, other.begin() as writer:
        for table in Base.metadata.sorted_tables:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            rows = reader.exec_driver_sql(f'SELECT {names} FROM "{table.name}"')
            with writer.connection.driver_connection.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(tuple(row))
    other.dispose()
    engine.dispose()
    return target


@dataclass(frozen=True)
class Found:
    """What one store took: requests by name, and the seconds of each opening of each page."""

    requests: dict[str, Measured]
    pages: dict[str, list[float]]


def measure(name: str, url: str, home: Path, requests: int) -> Found:
    """Everything about one store, printed as it comes."""
    home.mkdir(parents=True, exist_ok=True)
    with serving(url, home) as service:
        listed = service.client.get("/api/v1/experiments?limit=100").json()["items"]
        long, other = listed[0]["id"], listed[-1]["id"]
        print(f"{name}, started: API {service.resident()[0]:.0f} MB, dashboard {service.resident()[1]:.0f} MB", flush=True)
        found = {what: service.measure(what, address) for what, address in addresses(long, other).items()}
        print(f"{name}, everything opened: API {service.resident()[0]:.0f} MB, dashboard {service.resident()[1]:.0f} MB", flush=True)
        repeated = [address for what, address in addresses(long, other).items() if what not in ("curves, all", "forecasts, API")]
        for number in range(requests):
            service.ask(repeated[number % len(repeated)])
        told = f"API {service.resident()[0]:.0f} MB, dashboard {service.resident()[1]:.0f} MB"
        print(f"{name}, {requests} requests later: {told}", flush=True)
    if not find_chromium():
        return Found(found, {})
    with serving(url, home) as service:
        drawn = opened(service.origin, pages(long, other))
    for what, seconds in drawn.items():
        print(f"{name}, page {what}: {', '.join(f'{item:.2f}' for item in seconds)} s until it is ready", flush=True)
    return Found(found, drawn)


def table(stores: dict[str, Found]) -> Iterator[str]:
    """A row a request or page, seconds first and later; behind a request's the CPU seconds of both processes."""
    first = next(iter(stores.values()))
    yield "| asked for | " + " | ".join(f"{name}, first | {name}, later" for name in stores) + " | kB |"
    yield "|---|" + "---|---|" * len(stores) + "---|"
    for what, known in first.requests.items():
        spent = [spent for found in stores.values() for spent in (found.requests[what].cold, found.requests[what].warm)]
        cells = " | ".join(f"{item.wall:.2f} ({item.cpu:.2f})" for item in spent)
        yield f"| {what} | {cells} | {known.cold.n_bytes / 1000:,.0f} |"
    for what in first.pages:
        opened = [found.pages[what] for found in stores.values()]
        cells = " | ".join(f"{cold:.2f} | {statistics.median(later):.2f}" for cold, *later in opened)
        yield f"| page: {what} | {cells} | |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=25)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--long-steps", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--one", action="store_true", help="also a store of the long experiment alone")
    parser.add_argument("--keep", type=Path, help="folder where the SQLite stores stay, and are found again")
    parser.add_argument("--no-postgres", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tauscope-bench-")))
        folder.chmod(0o755)  # Postgres runs as another user.
        stores = given.keep or folder
        stores.mkdir(exist_ok=True)
        sizes = {"one experiment": Size(1, given.steps, given.long_steps)} if given.one else {}
        sizes["SQLite"] = Size(given.experiments, given.steps, given.long_steps)
        urls = {name: filled(f"sqlite:///{stores / f'{size.experiments}.db'}", size) for name, size in sizes.items()}
        if not given.no_postgres:
            (folder / "postgres").mkdir()
            server = Postgres(folder / "postgres")
            server.start()
            stack.callback(server.stop)
            urls["Postgres"] = copied(urls["SQLite"], server.uri.replace("postgresql://", "postgresql+psycopg://"))
        found = {name: measure(name, url, folder / name, given.requests) for name, url in urls.items()}
    print("\n".join(table(found)))
    machine = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"Seconds, in brackets of a core; later: the median of {WARM} requests or {_OPENED - 1} openings; {machine}")


if __name__ == "__main__":
    main()
