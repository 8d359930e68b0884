"""From a request to a validated sweep, and from a sweep to rows and wake-ups."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from backend.services.context import Context
from backend.services.data_remarks import data_remarks
from backend.services.datasets import pinned
from backend.services.durations import History
from backend.services.errors import IdempotencyConflictError
from backend.services.forking import pin_forks
from backend.services.requirements import check_data, requirements
from backend.storage.experiments import Created, KeyReusedError, Request, create_experiment
from backend.storage.forking import ForkGoneError
from backend.storage.outbox import send_wakeups
from backend.storage.reading import reading
from tauscope.contracts.experiments import ExperimentCreate, Plan, PlannedRun
from tauscope.contracts.launching import Estimate
from tauscope.specs import ResolvedRun, SpecError, SweepSpec, apply_settings, load_preset, parse_sweep
from tauscope.version import code_version

MAX_DEPTH = 50


def plan(context: Context, request: ExperimentCreate) -> Plan:
    """What a request would start.

    Raises:
        SpecError: naming each field at fault.
    """
    sweep, runs = resolve(context, request)
    return plan_of(context, sweep, pin_forks(context, runs))


def plan_of(context: Context, sweep: SweepSpec, runs: tuple[ResolvedRun, ...]) -> Plan:
    """Some or all runs of a sweep, with what they need and how long they take."""
    lacks = dict(zip((run.index for run in runs), requirements(context, runs), strict=True))
    expected, note = _expected(context, runs, lacking=any(lacks.values()))
    return Plan(
        estimate=expected,
        estimate_note=note,
        sweep=sweep.model_dump(mode="json"),
        runs=tuple(
            PlannedRun(
                index=run.index,
                label=run.label,
                params=run.params,
                spec=run.spec.model_dump(mode="json"),
                cost=run.spec.cost(),
                requirements=lacks[run.index],
                data=data_remarks(run.spec.images) if run.spec.images else None,
            )
            for run in runs
        ),
    )


def _expected(context: Context, runs: tuple[ResolvedRun, ...], *, lacking: bool) -> tuple[Estimate | None, str]:
    if not runs:
        return None, ""
    if lacking:
        return None, "unknown: it lacks something here"
    with reading(context.sessions) as session:
        return History(session).estimate(runs)


def launch(context: Context, request: ExperimentCreate, key: str | None) -> Created:
    """Insert the experiment, commit, and only then wake the workers; the reconciler repeats wake-ups that got lost.

    Raises:
        SpecError: naming each field at fault.
        IdempotencyConflictError: if the key came with another request.
    """
    sweep, runs = resolve(context, request)
    runs = pin_forks(context, runs)
    repeatable = Request(key, _digest(request)) if key else None
    try:
        created = create_experiment(
            context.sessions, sweep, runs, code_version=code_version(), request=repeatable, priority=request.priority, queue=request.queue
        )
    except ForkGoneError as error:
        raise SpecError.single("fork.step", str(error), "Fork from another checkpoint") from error
    except KeyReusedError as error:
        raise IdempotencyConflictError(
            f"Idempotency-Key {key} came with another body before", "Use a new key for a new experiment"
        ) from error
    if not created.replayed:
        send_wakeups(context.sessions, context.outbox, created.run_ids)
    return created


def resolve(context: Context, request: ExperimentCreate) -> tuple[SweepSpec, tuple[ResolvedRun, ...]]:
    """The sweep a request asks for, and its runs, each checked against its data set.

    Raises:
        SpecError: naming each field at fault.
    """
    check_text({"preset": request.preset, "sweep": request.sweep, "settings": request.settings})
    sweep = load_preset(request.preset).sweep if request.preset is not None else parse_sweep(request.sweep)
    if request.settings:
        sweep = apply_settings(sweep, request.settings)
    runs = pinned(context, sweep.resolve())
    check_data(runs)
    return sweep, runs


def check_text(document: Any) -> None:
    """Refuse text that no database or file holds, and nesting that no spec has."""
    for path, value in _leaves(document):
        if path.count(".") >= MAX_DEPTH:
            raise SpecError.single(path[:80], "is nested too deeply", "No spec is: compare it with a preset")
        if isinstance(value, str) and any((sign < " " and sign not in "\n\t\r") or "\ud800" <= sign <= "\udfff" for sign in value):
            raise SpecError.single(path, "holds control characters", "Remove them")


def _leaves(document: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value with its dotted path, without recursion."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        yield path.removeprefix("."), value
        if path.count(".") <= MAX_DEPTH and isinstance(value, dict):
            yield from ((f"{path}.(key)".removeprefix("."), key) for key in value)
            waiting += [(f"{path}.{key}", item) for key, item in value.items()]
        elif path.count(".") <= MAX_DEPTH and isinstance(value, list):
            waiting += [(f"{path}.{index}", item) for index, item in enumerate(value)]


def _digest(request: ExperimentCreate) -> str:
    # A field that came later is left out at its default, so that a key from before it still names the same request.
    later = {name for name in ("priority", "queue") if getattr(request, name) == ExperimentCreate.model_fields[name].default}
    document = request.model_dump(mode="json", exclude=later)
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
