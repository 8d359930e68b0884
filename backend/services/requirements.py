"""What a run needs that is not there, and what can never be there."""

from collections.abc import Sequence

from backend.services.context import Context
from backend.storage.census import workers
from backend.storage.offers import offer_of
from backend.storage.reading import reading
from tauscope.datasets import source_of
from tauscope.needs import check_data as check_kind_data
from tauscope.needs import missing_features
from tauscope.specs import ExperimentSpec, ResolvedRun


def check_data(runs: Sequence[ResolvedRun]) -> None:
    """Check each run's data set by name, channels and number of images.

    Raises:
        SpecError: if there is no such data set, or it cannot give what is asked.
    """
    for run in runs:
        check_kind_data(run.spec)


def requirements(context: Context, runs: Sequence[ResolvedRun]) -> tuple[tuple[str, ...], ...]:
    """For each run, what this deployment lacks, each with its remedy."""
    with reading(context.sessions) as session:
        devices = {kind for worker in workers(session) for kind in offer_of(worker).devices}
    return tuple((*_data(run.spec), *_features(run.spec), *_device(run.spec, devices)) for run in runs)


def _data(spec: ExperimentSpec) -> tuple[str, ...]:
    if spec.images is None or (spec.images.registered and spec.images.registered.sha256):
        return ()  # There is none, or the worker fetches it from the artifact store.
    lack = source_of(spec.images).missing(spec.images.path)
    return (lack,) if lack else ()


def _features(spec: ExperimentSpec) -> tuple[str, ...]:
    return tuple(f"{problem.message}. {problem.remedy}" for problem in missing_features(spec))


def _device(spec: ExperimentSpec, devices: set[str]) -> tuple[str, ...]:
    wanted = spec.device.partition(":")[0]
    if wanted in {"auto", "cpu"} or wanted in devices:
        return ()
    return (f"It asks for device {spec.device}, and no worker has one: start a worker there, or set device: auto",)
