"""Where the samples of each checkpoint of a run stand."""

from collections.abc import Mapping

from backend.services.context import Context
from backend.services.experiments import required_run
from backend.storage.reading import reading
from backend.storage.sampled import points_by_step, sample_files, waiting
from backend.storage.tables import MetricPoint
from tauscope.contracts.samples import SampleStep, SampleSteps, version_of

_METRICS = ("f_mem", "f_mem_control")


def sample_steps(context: Context, run_id: str) -> SampleSteps:
    """Every checkpoint that has samples, waits for them, or gave none."""
    with reading(context.sessions) as session:
        required_run(session, run_id)
        points = points_by_step(session, run_id, _METRICS)
        versions = {file.step or 0: version_of(file.sha256) for file in sample_files(session, run_id)}
        pending = {item.step: item.reason for item in waiting(session, run_id)}
    steps = sorted({*versions, *pending, *(step for step, found in points.items() if "f_mem" in found)})
    return SampleSteps(
        run_id=run_id, steps=tuple(_step(step, points.get(step, {}), versions.get(step, ""), pending.get(step, "")) for step in steps)
    )


def _step(step: int, points: Mapping[str, MetricPoint], version: str, reason: str) -> SampleStep:
    share, control = points.get("f_mem"), points.get("f_mem_control")
    if share is None:
        return SampleStep(step=step, state="waiting", reason=reason)
    if share.value is None or not version:
        return SampleStep(step=step, state="diverged", reason=share.reason or "", n_generated=share.count)
    baseline = {} if control is None else _named("f_mem_control", control) | {"control_count": control.count}
    return SampleStep.model_validate(
        {"step": step, "state": "measured", "n_generated": share.count, "version": version} | _named("f_mem", share) | baseline
    )


def _named(name: str, point: MetricPoint) -> dict[str, float | None]:
    return {name: point.value, f"{name}_low": point.low, f"{name}_high": point.high}
