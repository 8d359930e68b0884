"""A trainer child without PyTorch: it counts instead of training, and misbehaves when the environment says so.

``FAKE_CHILD_FAULT`` is ``die``, ``fail``, ``storage``, ``busy`` or ``deaf``; the fault shows at ``FAKE_CHILD_FAULT_STEP`` (35),
training or drawing, and only as long as the file ``FAKE_CHILD_FAULTS_LEFT`` counts above zero. The last step is not taken while
the file ``FAKE_CHILD_LAST_STEP_WAITS`` is there, and images are prepared while the file ``FAKE_CHILD_PREPARES`` is.
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tauscope.contracts.points import Point
from tauscope.execution.events import (
    CheckpointWritten,
    DatasetWritten,
    DeferSamples,
    EndSegment,
    EvaluateCheckpoint,
    EvaluationEnded,
    Failed,
    Measured,
    PredictionsWritten,
    Preparing,
    Progress,
    Ready,
    RunSegment,
    SamplesWritten,
    SegmentEnded,
    TrainerEvent,
    parse_command,
)
from tauscope.specs.schedule import Adaptive

EVERY = 10
FAULT_STEP = int(os.environ.get("FAKE_CHILD_FAULT_STEP", "35"))
COPIES_FROM = int(os.environ.get("FAKE_CHILD_COPIES_FROM", "0"))  # From this step on 24 of 32 samples are copies, before it none.
DEFERS = "FAKE_CHILD_DEFERS" in os.environ  # As if slots were always spare.
EVALUATION_SECONDS = float(os.environ.get("FAKE_CHILD_EVALUATION_SECONDS", "0.01"))
LAST_STEP_WAITS = Path(os.environ.get("FAKE_CHILD_LAST_STEP_WAITS", "/nowhere"))
PREPARES = Path(os.environ.get("FAKE_CHILD_PREPARES", "/nowhere"))
REMARKS = tuple(filter(None, [os.environ.get("FAKE_CHILD_REMARK")]))
STEP_SECONDS = float(os.environ.get("FAKE_CHILD_STEP_SECONDS", "0.002"))

work: "queue.Queue[RunSegment | EvaluateCheckpoint]" = queue.Queue()
end = threading.Event()
defer = threading.Event()


def send(event: TrainerEvent) -> None:
    sys.stdout.write(event.model_dump_json() + "\n")
    sys.stdout.flush()


def read() -> None:
    for line in sys.stdin:
        command = parse_command(line)
        match command:
            case EndSegment():
                end.set()
            case DeferSamples():
                (defer.set if command.defer else defer.clear)()
            case _:
                end.clear()
                defer.clear()
                work.put(command)
    os._exit(0)


def fault() -> str:
    if "FAKE_CHILD_FAULTS_LEFT" not in os.environ:
        return ""
    counter = Path(os.environ["FAKE_CHILD_FAULTS_LEFT"])
    left = int(counter.read_text())
    if left <= 0:
        return ""
    counter.write_text(str(left - 1))
    return os.environ["FAKE_CHILD_FAULT"]


def misbehave() -> bool:
    match fault():
        case "die":
            os.kill(os.getpid(), 9)
        case "fail":
            send(Failed(code="diverged", message="the loss is not finite", remedy="Lower optimizer.lr", traceback="Traceback"))
        case "storage":
            send(Failed(code="storage", message="No space left on device", remedy="Free some", traceback="Traceback"))
        case "busy":
            send(Failed(code="device_busy", message="other processes hold the device", remedy="It is tried again", traceback=""))
        case "deaf":
            time.sleep(60)
        case _:
            return False
    return True


def value(step: int) -> float:
    return round(1 / (1 + step), 6)


def measure_again(step: int, measurement: dict[str, object]) -> None:
    """Half of what was measured before, on as many samples as asked for."""
    count = int(str(measurement["n_generated"]))
    metrics = ("f_mem", "f_mem_control", "loss_held_out@100")
    points = [Point(step=step, metric=name, value=value(step) / 2, low=0, high=1, count=count) for name in metrics]
    send(Measured(step=step, points=tuple(points)))


def measure(folder: Path, step: int) -> None:
    path = folder / "samples" / f"{step}.npz"
    path.write_bytes(f"samples {step}".encode())
    send(SamplesWritten(step=step, path=str(path), n_generated=32))
    metrics = ("f_mem", "f_mem_control", "loss_held_out@100")
    points = [Point(step=step, metric=name, value=value(step), low=0, high=1, count=32) for name in metrics]
    if COPIES_FROM:
        copied = share(step, "f_mem", 24, 0.566, 0.885) if step >= COPIES_FROM else share(step, "f_mem", 0, 0.0, 0.109)
        points[:2] = [copied, share(step, "f_mem_control", 0, 0.0, 0.109)]
    send(Measured(step=step, points=tuple(points)))


def predict(folder: Path, step: int) -> None:
    path = folder / "predictions" / f"{step}.npz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(f"predictions {step}".encode())
    send(PredictionsWritten(step=step, path=str(path)))


def share(step: int, metric: str, found: int, low: float, high: float) -> Point:
    return Point(step=step, metric=metric, value=found / 32, low=low, high=high, count=32)


def save(folder: Path, step: int, *, unevaluated: bool = False) -> None:
    weights, state = (folder / "checkpoints" / f"{step}.{ending}" for ending in ("safetensors", "json"))
    weights.write_bytes(f"weights {step}".encode())
    state.write_text(json.dumps({"step": step}))
    send(CheckpointWritten(step=step, weights=str(weights), state=str(state), unevaluated=unevaluated))


def last_step_may_come() -> bool:
    """Wait until it may, or the segment shall end."""
    while LAST_STEP_WAITS.exists() and not end.is_set():
        time.sleep(STEP_SECONDS)
    return not end.is_set()


def due(spec: dict[str, Any]) -> tuple[Collection[int], Collection[int]]:
    """The steps at which a checkpoint is written, and those of them that are sampled."""
    schedule = spec.get("measurement", {}).get("schedule", {})
    if schedule.get("kind") == "adaptive":
        adaptive = Adaptive.model_validate(schedule)
        return adaptive.saved(spec["steps"]), adaptive.steps(spec["steps"])
    return (every := range(EVERY, spec["steps"] + 1, EVERY)), every


def serve(command: RunSegment) -> None:
    folder, started = Path(command.folder), time.monotonic()
    saved, sampled = due(command.spec)
    step = 0
    if command.checkpoint:
        step = json.loads(Path(command.checkpoint).read_text())["step"]
        assert Path(command.checkpoint).with_suffix(".safetensors").read_text() == f"weights {step}"
    for name in ("samples", "checkpoints"):
        (folder / name).mkdir(exist_ok=True)
    while PREPARES.exists():
        send(Preparing(done=17, total=50))
        time.sleep(STEP_SECONDS)
    files = {name: folder / name for name in ("train.npz", "held_out.npz", "dataset.json")}
    for name, file in files.items():
        file.write_text(name)
    train, held_out, record = map(str, files.values())
    send(DatasetWritten(train=train, held_out=held_out, record=record, remarks=REMARKS))
    while step < command.spec["steps"]:
        if step == FAULT_STEP and step not in saved and misbehave():
            return
        time.sleep(STEP_SECONDS)
        if step + 1 == command.spec["steps"] and not last_step_may_come():
            break
        step += 1
        send(Progress(step=step, steps_per_second=1 / STEP_SECONDS, loss=0.5))
        if step in saved:
            predict(folder, step)
            deferring = step in sampled and command.may_defer and (defer.is_set() or DEFERS)
            if step in sampled and not deferring:
                measure(folder, step)
            save(folder, step, unevaluated=deferring)
        if end.is_set() or (command.max_seconds is not None and time.monotonic() - started > command.max_seconds):
            break
    if step not in saved:
        save(folder, step)
    send(SegmentEnded(step=step, finished=step >= command.spec["steps"], seconds=time.monotonic() - started))


def evaluate(command: EvaluateCheckpoint) -> None:
    step = command.step
    assert command.checkpoint is None or json.loads(Path(command.checkpoint).read_text())["step"] <= step
    if step == FAULT_STEP and misbehave():
        return
    deadline = time.monotonic() + EVALUATION_SECONDS
    while time.monotonic() < deadline and not end.is_set():
        time.sleep(0.005)
    if not end.is_set() and command.measured_as is not None:
        measure_again(step, command.measured_as["measurement"])
    elif not end.is_set():
        (Path(command.folder) / "samples").mkdir(exist_ok=True)
        measure(Path(command.folder), step)
    send(EvaluationEnded(step=step, complete=not end.is_set(), seconds=EVALUATION_SECONDS))


if __name__ == "__main__":
    threading.Thread(target=read, daemon=True).start()
    send(Ready(torch_version="none", device="cpu"))
    while True:
        given = work.get()
        serve(given) if isinstance(given, RunSegment) else evaluate(given)
