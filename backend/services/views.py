"""Rows as pages and programs see them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from backend.services.waiting import waiting
from backend.storage.tables import Attempt, Experiment, Run, RunEvent, Worker
from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import PowerLawFit
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import AttemptView, RunEventView, RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.summary import RunSummary
from tauscope.contracts.system import WorkerView
from tauscope.specs import KINDS
from tauscope.specs.stored import batch_of, n_train_of, width_of


def run_view(run: Run, workers: Sequence[Worker]) -> RunView:
    """A run as pages show it, with what it waits for given the workers that live."""
    return RunView.model_validate(
        {
            **{name: getattr(run, name) for name in _SAME_NAME},
            "waiting": waiting(run, workers),
            "verdict": run.verdict or None,
            "kind": run.spec.get("kind", "image_ddpm"),
            "n_train": n_train_of(run.spec),
            "batch_size": batch_of(run.spec),
            "width": width_of(run.spec),
        }
    )


_SAME_NAME = (
    *(
        "id",
        "experiment_id",
        "index",
        "label",
        "params",
        "state",
        "desired",
        "priority",
        "queue",
        "step",
        "steps",
        "seconds",
        "steps_per_second",
    ),
    *(
        "reason",
        "epoch",
        "seq",
        "worker",
        "updated_at",
        "onsets",
        "markers",
        "final",
        "forecast",
        "twin_id",
        "code_note",
        "unevaluated",
        "remarks",
    ),
)


def run_summary(run: Run) -> RunSummary:
    """A run as summaries hold it."""
    return RunSummary.model_validate({name: getattr(run, name) for name in RunSummary.model_fields})


def run_event_view(event: RunEvent) -> RunEventView:
    """Why a run changed its state."""
    return RunEventView.model_validate({name: getattr(event, name) for name in RunEventView.model_fields})


def attempt_views(attempts: Sequence[Attempt]) -> tuple[AttemptView, ...]:
    """Who computed a run, each with the steps it had to compute again."""
    reached = (0, *(attempt.to_step for attempt in attempts))
    return tuple(
        AttemptView.model_validate(
            {name: getattr(attempt, name) for name in AttemptView.model_fields if name != "rewound"}
            | {"rewound": max(0, before - attempt.from_step)}
        )
        for before, attempt in zip(reached, attempts, strict=False)
    )


def experiment_view(
    experiment: Experiment, state: RunState, fits: dict[str, PowerLawFit], server_time: float, workers: Sequence[Worker]
) -> ExperimentView:
    """An experiment with its runs and fits."""
    return ExperimentView(
        id=experiment.id,
        name=experiment.name,
        summary=experiment.sweep.get("summary", ""),
        state=state,
        created_at=experiment.created_at,
        tags=tuple(item.tag for item in experiment.tags),
        archived=experiment.archived_at is not None,
        code_version=experiment.code_version,
        sweep=experiment.sweep,
        runs=tuple(run_view(run, workers) for run in experiment.runs),
        fits=fits,
        server_time=server_time,
    )


def worker_view(worker: Worker) -> WorkerView:
    """A worker as listed."""
    return WorkerView.model_validate({name: getattr(worker, name) for name in WorkerView.model_fields})


def metrics_of(runs: list[Run]) -> dict[str, MetricInfo]:
    """How each metric of the runs is named and drawn."""
    return {name: info for run in runs for name, info in _metrics_of_spec(orjson.dumps(run.spec)).items()}


@lru_cache(maxsize=1024)
def _metrics_of_spec(text: bytes) -> dict[str, MetricInfo]:
    spec: dict[str, Any] = orjson.loads(text)
    return metric_infos(KINDS[spec["kind"]].model_validate(spec))
