"""What the service says of itself: its parts, queues, code versions and latest failures."""

import shutil
from collections.abc import Sequence
from os import W_OK, access
from pathlib import Path
from typing import Literal

from backend.services.context import Context
from backend.services.system import broker_errors, database_errors
from backend.storage import census, trouble
from backend.storage.reading import reading
from backend.storage.tables import Worker
from tauscope.contracts.diagnosis import CheckView, DiagnosisView, FailureView, QueueView, VersionView
from tauscope.contracts.problems import FieldError
from tauscope.contracts.runs import DEFAULT_QUEUE
from tauscope.version import code_version

FREE_BYTES = 5 * 2**30
_FAILURES = 20
_KINDS: dict[str, Literal["run", "attempt", "samples"]] = {"failed": "run", "released": "attempt", "evaluation_failed": "samples"}


def diagnosis(context: Context) -> DiagnosisView:
    """Look at everything; what is away is a finding, but without the database there is no answer."""
    with reading(context.sessions) as session:
        workers = census.living_workers(session)
        loads = trouble.loads(session)
        failures = trouble.latest_failures(session, _FAILURES)
        views = tuple(map(_failure, failures))
    return DiagnosisView(
        checks=_checks(context, workers), queues=tuple(_queues(loads, workers)), versions=tuple(_versions(workers)), failures=views
    )


def _checks(context: Context, workers: Sequence[Worker]) -> tuple[CheckView, ...]:
    return (
        _check("database", database_errors(context), f"{context.engine.dialect.name}, its schema is current"),
        _check("broker", broker_errors(context), "answers"),
        _store(context),
        _disk(context),
        _workers(workers),
        _same_code(workers),
    )


def _check(part: str, errors: Sequence[FieldError], found: str) -> CheckView:
    if not errors:
        return CheckView(part=part, ok=True, found=found)
    return CheckView(part=part, ok=False, found=errors[0].message, remedy=errors[0].remedy)


def _store(context: Context) -> CheckView:
    """A folder must be writable; an object store is asked when files are stored, and says so then."""
    url = context.settings.artifacts_url or ""
    if "://" in url:
        return CheckView(part="artifact store", ok=True, found=f"object store at {url.partition('://')[0]}://")
    folder = _existing(Path(url))
    if access(folder, W_OK):
        return CheckView(part="artifact store", ok=True, found=f"folder {url}")
    return CheckView(part="artifact store", ok=False, found=f"{folder} cannot be written", remedy="Mend the folder's permissions")


def _disk(context: Context) -> CheckView:
    folder = _existing(context.settings.home)
    free = shutil.disk_usage(folder).free
    ok = free > FREE_BYTES
    return CheckView(part="disk", ok=ok, found=f"{free / 2**30:.0f} GiB free under {folder}", remedy="" if ok else "Free some space")


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _workers(workers: Sequence[Worker]) -> CheckView:
    slots = sum(worker.slots for worker in workers)
    if slots:
        return CheckView(part="workers", ok=True, found=f"{len(workers)} with {slots} slots in all")
    remedy = "Start one: tauscope up, or python -m worker on any machine that reaches broker and database"
    return CheckView(part="workers", ok=False, found="none was heard of lately", remedy=remedy)


def _same_code(workers: Sequence[Worker]) -> CheckView:
    others = sorted({worker.code_version for worker in workers if worker.code_version not in ("", code_version())})
    if not others:
        told = all(worker.code_version for worker in workers)
        return CheckView(part="code version", ok=True, found="the same everywhere" if told else "not told by every worker")
    found = f"workers run {', '.join(others)}, the API {code_version()}"
    return CheckView(part="code version", ok=False, found=found, remedy="Update them to one version; a run goes on only under its own")


def _queues(loads: Sequence[trouble.Load], workers: Sequence[Worker]) -> list[QueueView]:
    """Every queue that holds or serves anything."""
    served = [queue for worker in workers for queue in worker.queues or [DEFAULT_QUEUE]]
    held = {load.queue: load for load in loads}
    names = sorted({DEFAULT_QUEUE, *held, *served})
    found = [held.get(name, trouble.Load(name, 0, 0, 0)) for name in names]
    return [
        QueueView(
            name=load.queue,
            waiting=load.queued,
            computing=load.running,
            evaluations=load.evaluations,
            workers=served.count(load.queue),
        )
        for load in found
    ]


def _versions(workers: Sequence[Worker]) -> list[VersionView]:
    used: dict[str, list[str]] = {code_version(): ["API"]}
    for worker in workers:
        used.setdefault(worker.code_version or "not told", []).append(worker.name)
    return [VersionView(version=version, used_by=tuple(names)) for version, names in used.items()]


def _failure(found: trouble.Failure) -> FailureView:
    """An event's detail is the outcome of an attempt that was released, the reason, then the traceback."""
    kind = _KINDS[found.event.name]
    lines = found.event.detail.splitlines()[1 if kind == "attempt" else 0 :]
    return FailureView(
        event_id=found.event.id,
        run_id=found.run.id,
        experiment_id=found.run.experiment_id,
        experiment=found.experiment,
        label=found.run.label,
        at=found.event.at,
        kind=kind,
        reason=lines[0] if lines else "No reason was recorded.",
        traceback="\n".join(lines[1:]),
    )
