"""What a sweep needs of this machine, said before it starts."""

import os

from tauscope.execution.devices import DeviceError, available_devices, choose_device
from tauscope.needs import missing
from tauscope.specs import FieldProblem, SpecError, SweepSpec


def check_requirements(sweep: SweepSpec) -> None:
    """Refuse a sweep whose device, data set or feature network is not here.

    Raises:
        SpecError: naming everything that is missing at once.
    """
    problems = {}
    for run in sweep.resolve():
        for problem in missing(run.spec):
            problems[problem.path] = FieldProblem(f"base.{problem.path}", problem.message, problem.remedy)
        try:
            choose_device(run.spec.device)
        except DeviceError as error:
            problems["device"] = FieldProblem("base.device", error.message, f"{error.remedy}, or run on a machine with a GPU")
    if problems:
        raise SpecError(problems.values())


def default_processes(sweep: SweepSpec) -> int:
    """One run a GPU, or one a CPU core: two threads on one small network are slower than two processes."""
    devices = {str(choose_device(run.spec.device)) for run in sweep.resolve()}
    if devices == {"cpu"}:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return sum(device != "cpu" for device in available_devices())
