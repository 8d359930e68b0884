"""The generated samples of a checkpoint beside their nearest training images."""

import hashlib

from backend.services.context import Context
from backend.services.errors import NoSamplesError
from backend.services.experiments import required_run
from backend.storage.files import find_file, points_at, sample_steps
from backend.storage.reading import reading
from backend.storage.tables import RunFile
from tauscope.contracts.samples import SamplesView, version_of
from tauscope.specs.measurement import GAP_THRESHOLD
from tauscope.version import source_version

LAST = "last"


def samples_etag(context: Context, run_id: str, step: str) -> str:
    """Names what ``samples`` would say without reading them: it changes with every flush of the run.

    Raises:
        UnknownRunError: if there is no such run.
    """
    with reading(context.sessions) as session:
        run = required_run(session, run_id)
        basis = f"{run_id} {step} {run.epoch}.{run.seq} {source_version()}"
    return f'"{hashlib.sha256(basis.encode()).hexdigest()[:32]}"'


def samples(context: Context, run_id: str, step: str) -> SamplesView:
    """The samples of a checkpoint; ``step`` may be ``last``.

    Raises:
        NoSamplesError: if that step has none, or their measurement is still on its way.
    """
    file = sample_file(context, run_id, step)
    assert file.step is not None
    with reading(context.sessions) as session:
        spec = required_run(session, run_id).spec
        steps = sample_steps(session, run_id)
        train = find_file(session, run_id, "train")
        points = points_at(session, run_id, file.step, ("f_mem", "f_mem_control"))
    share, control = points.get("f_mem"), points.get("f_mem_control")
    if share is None or share.value is None or control is None or control.value is None:
        raise NoSamplesError(f"The samples of step {file.step} are not measured yet", "Ask again in a second")
    found = context.images.neighbours(file.sha256)
    asked, known = context.images.labels(file.sha256), context.images.labels(train.sha256) if train else None
    copies = found.gap_ratio < GAP_THRESHOLD
    return SamplesView(
        run_id=run_id,
        step=file.step,
        steps=steps,
        n_generated=len(copies),
        n_copies=int(copies.sum()),
        f_mem=share.value,
        f_mem_low=share.low if share.low is not None else 0.0,
        f_mem_high=share.high if share.high is not None else 1.0,
        f_mem_control=control.value,
        f_mem_control_low=control.low if control.low is not None else 0.0,
        f_mem_control_high=control.high if control.high is not None else 1.0,
        control_count=control.count or 0,
        gap_threshold=GAP_THRESHOLD,
        gap_ratio=tuple(found.gap_ratio.tolist()),
        is_copy=tuple(copies.tolist()),
        neighbours=tuple((first, other) for first, other in found.nearest.tolist()),
        distances=tuple((first, other) for first, other in found.distances.tolist()),
        labels=None if asked is None else tuple(asked.tolist()),
        neighbour_labels=None if known is None else tuple((first, other) for first, other in known[found.nearest].tolist()),
        image_shape=found.image_shape,
        window_channels=tuple(spec["dataset"]["channels"] or ()) if spec.get("kind") == "timeseries" else None,
        version=version_of(file.sha256),
    )


def sample_file(context: Context, run_id: str, step: str) -> RunFile:
    """The file of a checkpoint's samples.

    Raises:
        UnknownRunError: if there is no such run.
        NoSamplesError: if the step has none; the remedy lists those that have.
    """
    with reading(context.sessions) as session:
        required_run(session, run_id)
        steps = sample_steps(session, run_id)
        wanted = steps[-1] if step == LAST and steps else step
        file = find_file(session, run_id, "samples", int(wanted)) if str(wanted) in map(str, steps) else None
    if file is None:
        known = ", ".join(map(str, steps)) or "none so far"
        raise NoSamplesError(f"Run {run_id} has no samples at step {step}", f"Steps with samples: {known}")
    return file
