"""Bounded curves against the whole answer, for one run of 100,000 points on SQLite; medians of five, side by side in one run.

At first the run is read whole; after a flush only what is new is; without one nothing is. A live page asks after every flush.
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backend.app import create_app
from backend.services.curve_cache import CurveCache
from backend.services.curves import CurvesQuery, curves_json
from backend.services.tables import as_arrow, curve_table
from backend.settings import ApiSettings
from backend.storage.claims import claim_next
from backend.storage.experiments import create_experiment
from backend.storage.flush import flush
from backend.storage.migrate import upgrade
from tauscope.contracts.points import Point
from tauscope.specs import load_preset

POINTS, REPEATS = 100_000, 5


def seconds(work: Callable[[], bytes]) -> tuple[float, int]:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), len(answer)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        upgrade(url)
        context = create_app(ApiSettings(database_url=url, home=Path(folder), broker_url="redis://127.0.0.1:1/0")).state.context
        sweep = load_preset("digits-ci").sweep
        identifier = create_experiment(context.sessions, sweep, sweep.resolve(), code_version="bench", request=None).experiment_id
        with context.sessions.begin() as session:
            claim = claim_next(session, "bench", 600)
            assert claim is not None
            points = [
                Point(step=step, metric="loss_train@10", value=1 / step, low=0.9 / step, high=1.1 / step) for step in range(1, POINTS)
            ]
            flush(session, claim, points=points)
        bounded = CurvesQuery(identifier, max_points=800)

        count = itertools.count()

        def first() -> bytes:
            object.__setattr__(context, "curves", CurveCache())
            return curves_json(context, bounded)

        whole, whole_bytes = seconds(lambda: curves_json(context, CurvesQuery(identifier)))
        arrow, arrow_bytes = seconds(lambda: as_arrow(curve_table(context, CurvesQuery(identifier))))
        new, some_bytes = seconds(first)
        again, _ = seconds(lambda: curves_json(context, bounded))

        def grown() -> bytes:
            with context.sessions.begin() as session:
                flush(session, claim, points=[Point(step=POINTS + next(count), metric="loss_train@10", value=0.5)])
            return curves_json(context, bounded)

        live, _ = seconds(grown)
    print(f"all in {whole:.2f} s; 800 points: {new / whole:.2f} of that, {live / whole:.3f} after a flush, {again / whole:.4f} else")
    print(f"bytes: {some_bytes / whole_bytes:.4f}; the whole as Arrow: {arrow_bytes / whole_bytes:.2f}, {arrow / whole:.2f} of the time")


if __name__ == "__main__":
    main()
