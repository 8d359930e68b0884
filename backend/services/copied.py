"""Which training images a run copies, when first, by how many samples, and how typical they are."""

from backend.services.context import Context
from backend.services.copied_cache import CopyFiles
from backend.services.errors import NoImageError, NoSamplesError
from backend.services.experiments import required_run
from backend.services.image_cache import no_images
from backend.services.images import train_file
from backend.services.sample_steps import sample_steps
from backend.services.samples import LAST
from backend.storage.files import find_file
from backend.storage.reading import reading
from backend.storage.sampled import measured_files
from tauscope.analysis.copied import copied_images, unmeasured_steps
from tauscope.contracts.copied import CopiedImages, UnmeasuredStep
from tauscope.results.copied import copied_csv
from tauscope.specs import KINDS


def copied(
    context: Context, run_id: str, step: str, *, offset: int = 0, limit: int | None = None, image: int | None = None
) -> CopiedImages:
    """The training images, the most copied at a checkpoint first; ``step`` may be ``last``.

    Raises:
        UnknownRunError: if there is no such run.
        NoSamplesError: if that step has no measured samples.
        NoImageError: if ``image`` is none of the distinct training images.
    """
    train = train_file(context, run_id)
    with reading(context.sessions) as session:
        kind = KINDS[required_run(session, run_id).spec["kind"]]
        if kind.POINTS == "points":
            raise no_images()
        files = {file.step or 0: file.sha256 for file in measured_files(session, run_id)}
        held_out = find_file(session, run_id, "held_out")
    found = CopyFiles(run_id, train.sha256, held_out.sha256 if held_out else None, tuple(sorted(files.items())))
    at = _measured_step(run_id, step, tuple(files))
    record = context.copied.record(found)
    unmeasured, point = _unmeasured(context, run_id, record.steps), kind.POINTS[:-1]
    view = copied_images(record, at, offset=offset, limit=limit, image=image, unmeasured=unmeasured, point=point)
    if image is not None and not view.total:
        raise NoImageError(f"No training {point} is listed as {image}", f"They go from 0 to {view.n_train - 1}, equal ones by the first")
    return view


def copied_table(context: Context, run_id: str, step: str) -> bytes:
    """Every training image as a row of CSV.

    Raises:
        UnknownRunError: if there is no such run.
        NoSamplesError: if that step has no measured samples.
    """
    return copied_csv([copied(context, run_id, step)])


def _measured_step(run_id: str, step: str, measured: tuple[int, ...]) -> int:
    if step == LAST and measured:
        return measured[-1]
    if step != LAST and int(step) in measured:
        return int(step)
    known = ", ".join(map(str, measured)) or "none so far"
    raise NoSamplesError(f"Run {run_id} has no measured samples at step {step}", f"Steps with measured samples: {known}")


def _unmeasured(context: Context, run_id: str, measured: tuple[int, ...]) -> tuple[UnmeasuredStep, ...]:
    with reading(context.sessions) as session:
        run = required_run(session, run_id)
        spec, reached = KINDS[run.spec["kind"]].model_validate(run.spec), run.step
    told = [
        UnmeasuredStep(step=item.step, state=item.state, reason=item.reason or _REASONS[item.state])
        for item in sample_steps(context, run_id).steps
        if item.state != "measured"
    ]
    return unmeasured_steps(spec.measurement.schedule.steps(spec.steps), reached, measured, told)


_REASONS = {"waiting": "its samples are still to be drawn or measured", "diverged": "the sampler gave no finite sample"}
