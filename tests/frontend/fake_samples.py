"""Samples of the stand-in world: of a checkpoint, of all checkpoints, of one seed through all of them."""

import hashlib
import io
from collections.abc import Callable

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from PIL import Image

from tauscope.contracts.run_views import RunView
from tauscope.contracts.samples import SampleStep, SampleSteps, SamplesView, SeedView
from tests.frontend.fake_world import N_GENERATED, SAMPLE_STEPS, clopper, f_mem


def samples_view(run: RunView, step: int) -> SamplesView:
    """Samples of a checkpoint: a share of them copies, as the curve says."""
    n, count = run.n_train or 16, 10_000 if run.experiment_id == "many" else N_GENERATED
    steps = tuple(s for s in SAMPLE_STEPS if s <= run.step)
    share = f_mem(n, step)
    ratios = [
        0.18 + 0.14 * ((i * 37) % 100) / 100 if ((i * 61) % count) < share * count else 0.36 + 0.6 * ((i * 53) % 100) / 100
        for i in range(count)
    ]
    copies = [ratio < 1 / 3 for ratio in ratios]
    low, high = clopper(sum(copies) / count)
    neighbours = tuple(((i * 7) % n, (i * 11 + 3) % n) for i in range(count))
    return SamplesView(
        run_id=run.id,
        step=step,
        steps=steps,
        n_generated=count,
        n_copies=sum(copies),
        f_mem=sum(copies) / count,
        f_mem_low=low,
        f_mem_high=high,
        f_mem_control=0.001,
        f_mem_control_low=0.0,
        f_mem_control_high=0.006,
        control_count=1000,
        gap_threshold=1 / 3,
        gap_ratio=tuple(ratios),
        is_copy=tuple(copies),
        neighbours=neighbours,
        labels=tuple(i % 10 for i in range(count)) if run.experiment_id == "demo" else None,
        neighbour_labels=tuple((first % 10, other % 10) for first, other in neighbours) if run.experiment_id == "demo" else None,
        distances=tuple((2.9 * ratio, 2.9) for ratio in ratios),
        version=f"{step:012x}",
    )


def sample_steps(run: RunView) -> SampleSteps:
    """Where every checkpoint's samples stand: of the run ``staler1`` the last waits, and the one before diverged."""
    views = [samples_view(run, step) for step in SAMPLE_STEPS if step <= run.step]
    steps = [
        SampleStep(
            step=view.step,
            state="measured",
            n_generated=view.n_generated,
            f_mem=view.f_mem,
            f_mem_low=view.f_mem_low,
            f_mem_high=view.f_mem_high,
            f_mem_control=view.f_mem_control,
            f_mem_control_low=view.f_mem_control_low,
            f_mem_control_high=view.f_mem_control_high,
            control_count=view.control_count,
            version=f"{view.step:012x}",
        )
        for view in views
    ]
    if run.id == "staler1":
        steps[-2:] = [
            SampleStep(step=steps[-2].step, state="diverged", reason="diverged", n_generated=N_GENERATED),
            SampleStep(step=steps[-1].step, state="waiting"),
        ]
    return SampleSteps(run_id=run.id, steps=tuple(steps))


def seed_view(run: RunView, seed: int) -> SeedView:
    """One seed at every measured checkpoint."""
    measured = [item.step for item in sample_steps(run).steps if item.state == "measured"]
    views = [samples_view(run, step) for step in measured]
    return SeedView(
        run_id=run.id,
        seed=seed,
        step=tuple(measured),
        gap_ratio=tuple(view.gap_ratio[seed] for view in views),
        nearest=tuple(view.neighbours[seed][0] for view in views),
        is_copy=tuple(view.is_copy[seed] for view in views),
        first_copied_at=next((view.step for view in views if view.is_copy[seed]), None),
        version=f"{len(measured):012x}",
    )


def add_samples(app: FastAPI, run_of: Callable[[str], RunView]) -> None:
    """The routes of samples and images; ``run_of`` finds a run by its id."""

    @app.get("/api/v1/runs/{run_id}/samples/{step}")
    def samples(run_id: str, step: str) -> SamplesView:
        run = run_of(run_id)
        known = [s for s in SAMPLE_STEPS if s <= run.step]
        if not known:
            raise HTTPException(404, "This run has no samples yet")
        return samples_view(run, known[-1] if step == "last" else int(step))

    @app.get("/api/v1/runs/{run_id}/samples")
    def steps(run_id: str) -> SampleSteps:
        return sample_steps(run_of(run_id))

    @app.get("/api/v1/runs/{run_id}/seeds/{seed}")
    def seed(run_id: str, seed: int) -> SeedView:
        return seed_view(run_of(run_id), seed)

    @app.get("/api/v1/runs/{run_id}/seeds/{seed}/film.png")
    def film(run_id: str, seed: int) -> Response:
        view = seed_view(run_of(run_id), seed)
        names = [f"{seed}-{step}" for step in view.step] + [f"train-{image}" for image in view.nearest]
        return _sheet(names, len(view.step))

    @app.get("/api/v1/runs/{run_id}/{kind}/{path:path}sheet.png")
    def sheet(run_id: str, kind: str, path: str, images: str, of: str = "train") -> Response:
        ranges = [part.split("-") for part in images.split(",")]
        numbers = [number for part in ranges for number in range(int(part[0]), int(part[-1]) + 1)]
        return _sheet([f"{of}-{number}" for number in numbers], 16)


def _sheet(names: list[str], columns: int) -> Response:
    """8x8 grey images that depend on nothing but their names, as tiles."""
    rows = -(-len(names) // columns)
    sheet = Image.new("L", (8 * columns, 8 * rows))
    for place, name in enumerate(names):
        digest = hashlib.sha256(name.encode()).digest()
        pixels = bytes(min(255, digest[i % 32] * (1 if 2 < i % 8 < 6 else 0)) for i in range(64))
        sheet.paste(Image.frombytes("L", (8, 8), pixels), (8 * (place % columns), 8 * (place // columns)))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return Response(buffer.getvalue(), media_type="image/png")
