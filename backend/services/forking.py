"""Runs that begin from a checkpoint of another run: the checkpoint is found, and its digest written into the spec."""

from collections.abc import Sequence
from dataclasses import replace

from backend.services.context import Context
from backend.storage.experiments import find_run
from backend.storage.files import checkpoints_up_to
from backend.storage.reading import reading
from tauscope.specs import ResolvedRun, SpecError
from tauscope.specs.fork import ForkSpec
from tauscope.specs.schedule import MAX_STEPS


def pin_forks(context: Context, runs: Sequence[ResolvedRun]) -> tuple[ResolvedRun, ...]:
    """The runs, each that forks with the digest of the weights it begins from.

    Raises:
        SpecError: if there is no such run or checkpoint.
    """
    return tuple(run if (fork := run.spec.begins_from) is None else _pinned(context, run, fork) for run in runs)


def _pinned(context: Context, run: ResolvedRun, fork: ForkSpec) -> ResolvedRun:
    if fork.run is None:
        raise SpecError.single("fork.path", "is for the command line alone", "Name fork.run and fork.step; the service knows the files")
    with reading(context.sessions) as session:
        if find_run(session, fork.run) is None:
            raise SpecError.single("fork.run", f"there is no run {fork.run}", "Take the id from the run's page")
        held = {item.step: item.weights[1] for item in checkpoints_up_to(session, fork.run, MAX_STEPS)}
    if fork.step not in held:
        steps = ", ".join(f"{step:,}" for step in sorted(held)) or "none"
        raise SpecError.single("fork.step", f"run {fork.run} has no checkpoint at step {fork.step:,}", f"It has checkpoints at: {steps}")
    pinned = fork.model_copy(update={"weights_sha256": held[fork.step]})
    return replace(run, spec=run.spec.model_copy(update={"fork": pinned}))
