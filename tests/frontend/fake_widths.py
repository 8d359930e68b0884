"""A synthetic sweep over the width W, with or without n: tau_mem is in proportion to 1/W."""

from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.summary import RunSummary
from tests.frontend import fake_world as world

WIDTHS = (8, 16, 32)
_MEASURED = 20  # The width at which the runs of the other synthetic experiments were made.


def over_widths(identifier: str, sizes: tuple[int, ...] = (16, 32, 64)) -> ExperimentView:
    """Finished runs at every n and W."""
    cells = [(n, width) for n in sizes for width in WIDTHS]
    runs = tuple(_run(identifier, index, n, width, n_too=len(sizes) > 1) for index, (n, width) in enumerate(cells))
    summaries = [
        RunSummary(id=run.id, params=run.params, state=run.state, onsets=run.onsets, final=run.final, seconds=run.seconds) for run in runs
    ]
    return world.experiment_view(identifier, "digits, widths", runs, state=RunState.FINISHED, fits=fit_sweep(summaries))


def _run(identifier: str, index: int, n: int, width: int, *, n_too: bool) -> RunView:
    run = world.run_view(identifier, index, n, step=world.BUDGETS[n], state=RunState.FINISHED)
    mem = run.onsets["tau_mem"]
    low, value, high = ((end or 0.0) * _MEASURED / width for end in (mem.low, mem.value, mem.high))
    params = ({"n_train": n} if n_too else {}) | {"width": width}
    onsets = run.onsets | {"tau_mem": world.reached(value, low, high, "f_mem", 0.25)}
    label = ", ".join(f"{name}={at}" for name, at in params.items())
    return run.model_copy(update={"params": params, "width": width, "label": label, "onsets": onsets})
