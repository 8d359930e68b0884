"""Sets of points beside a run's own: one that is done, and one that goes on, waits and was given up at a step."""

from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.remeasuring import RemeasuredStepView, RemeasurementView
from tauscope.contracts.retention import CheckpointView
from tauscope.specs import load_preset
from tauscope.specs.remeasuring import with_changes
from tests.frontend import fake_history
from tests.frontend import fake_world as world

DONE, UNDER_WAY = "n_generated 4,096", "sampler.steps 50"


def sets(run_id: str) -> tuple[RemeasurementView, ...]:
    """Those of the second run of ``demo``; no other has any."""
    return (_done(run_id), _under_way(run_id)) if run_id == "demor1" else ()


def kept(run_id: str) -> tuple[CheckpointView, ...]:
    """Checkpoints of the same run, of which there may be more to be measured; and those of any other."""
    if run_id != "demor1":
        return fake_history.checkpoints()
    return tuple(CheckpointView(step=step, n_bytes=2_100_000, pinned=False, kept=()) for step in (36, 178, 397, 1100))


def _done(run_id: str) -> RemeasurementView:
    steps = [step for step in world.SAMPLE_STEPS if step <= 1100]
    notes = {54: "its own checkpoint is gone: trained again from the checkpoint at 36"}
    found = tuple(
        RemeasuredStepView(step=step, state="measured", from_step=36 if step == 54 else step, code_version="1", note=notes.get(step, ""))
        for step in steps
    )
    return _with_fid(_set("again1", run_id, DONE, {"n_generated": 4096}, found, steps, 4096))


def _with_fid(held: RemeasurementView) -> RemeasurementView:
    """The set, in which the FID of the first 200 samples was measured too."""
    spec = with_changes(load_preset("digits-demo").sweep.base, {"features": [{"name": "inception", "samples": 200}]})
    found = {"": (139, 132, 145, 200), "_floor": (19.8, 17.9, 21.7, 200), "_train": (21.5, 19.1, 23.9, 32)}
    series = {f"fid_inception{ending}": world.series([(397, *values)]) for ending, values in found.items()}
    infos = {name: info for name, info in metric_infos(spec).items() if name in series}
    return held.model_copy(update={"series": held.series | series, "metrics": infos})


def _under_way(run_id: str) -> RemeasurementView:
    states = {178: "measured", 266: "measured", 397: "measuring", 592: "waiting", 884: "failed"}
    found = tuple(
        RemeasuredStepView.model_validate(
            {"step": step, "state": state, "from_step": step, "note": "No space left on device" if state == "failed" else ""}
        )
        for step, state in states.items()
    )
    return _set("again2", run_id, UNDER_WAY, {"sampler": {"name": "ddim", "steps": 50, "eta": 0.0}}, found, [178, 266], 384)


def _set(
    identifier: str, run_id: str, name: str, changes: dict[str, object], found: tuple[RemeasuredStepView, ...], steps: list[int], count: int
) -> RemeasurementView:
    shares = [(step, value := 0.94 * world.f_mem(32, step), max(0.0, value - 0.02), min(1.0, value + 0.02), count) for step in steps]
    series = {"f_mem": world.series(list(shares)), "f_mem_control": world.series([(step, 0.001, 0.0, 0.0055, 1000) for step in steps])}
    onsets = {
        "tau_gen": world.reached(31, 25, 40, "loss_held_out@100", 0.55),
        "tau_mem": world.not_by(max(steps), "f_mem", 0.25, max(steps)) if count < 1000 else world.reached(495, 474, 520, "f_mem", 0.25),
    }
    place = {"id": identifier, "run_id": run_id, "name": name, "changes": changes, "created_at": world.T0, "steps": found}
    return RemeasurementView.model_validate({**place, "onsets": onsets, "series": series})
