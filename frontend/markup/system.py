"""The state of the service: what needs attention first, then workers, queues, failures."""

from collections.abc import Sequence

from frontend.markup.header import address
from frontend.markup.html import Html, join, tag
from frontend.markup.icons import FINE, WARNING
from frontend.markup.notifications import failing, notifications
from frontend.markup.sections import section, table
from frontend.words import DASH, SILENT_AFTER, ago, plural, slots_words
from tauscope.contracts.diagnosis import CheckView, DiagnosisView, FailureView, QueueView, VersionView
from tauscope.contracts.notifications import HookView
from tauscope.contracts.storage import StorageView
from tauscope.contracts.system import SystemView, WorkerView


def system_finding(system: SystemView, diagnosis: DiagnosisView, hooks: Sequence[HookView] = ()) -> Html:
    """How busy the service is, and whether anything needs attention."""
    faults = [check.part for check in diagnosis.checks if not check.ok] + ["notifications"] * bool(failing(hooks))
    waiting = plural(system.queued, "run") + (" waits." if system.queued == 1 else " wait.")
    words = f"{slots_words(system).capitalize()}; {waiting} "
    return join(words, f"Needs attention: {', '.join(faults)}." if faults else "Nothing needs attention.")


def system_regions(system: SystemView, diagnosis: DiagnosisView, hooks: Sequence[HookView] = ()) -> dict[str, str]:
    """Every region of the page."""
    return {
        "finding": system_finding(system, diagnosis, hooks),
        "main": join(_workers(system), _failures(diagnosis.failures, system.server_time), notifications(hooks, system.server_time)),
        "side": join(_checks(diagnosis.checks), _queues(diagnosis.queues), _versions(diagnosis.versions), _space(system.storage)),
    }


def _workers(system: SystemView) -> Html:
    columns = ("Worker", "Device", "Slots busy", "Queues", "Code version", "Last heard")
    rows = [_worker(worker, system.server_time) for worker in system.workers]
    return section("Workers", table(columns, rows, "No worker was heard of in the last hour. Start one: tauscope up, or python -m worker."))


def _worker(worker: WorkerView, now: float) -> Sequence[object]:
    silent = now - worker.seen_at >= SILENT_AFTER
    busy = tag("span", f"{worker.busy} of {worker.slots}")
    note = tag("span", "draining: takes no further run", class_="tau-quiet") if worker.draining else None
    heard = f"{max(0.0, now - worker.seen_at):.0f} s ago" if now - worker.seen_at < 60 else ago(now - worker.seen_at)
    last = tag("span", WARNING, f"silent, {heard}", class_="tau-silent") if silent else heard
    return join(worker.name, note), worker.device or DASH, busy, ", ".join(worker.queues) or "default", worker.code_version or DASH, last


def _failures(failures: Sequence[FailureView], now: float) -> Html:
    if not failures:
        return section("Latest failures", tag("p", "None."))
    return section("Latest failures", tag("div", *[_failure(item, now) for item in failures], class_="tau-failures"))


_OUTCOMES = {"run": "failed", "attempt": "in trouble, tried again", "samples": "samples missing"}


def _failure(item: FailureView, now: float) -> Html:
    run = tag("a", f"{item.experiment}, {item.label}", href=address("run", id=item.run_id), data_go=address("run", id=item.run_id))
    head = tag(
        "div", tag("b", run), tag("span", f"{_OUTCOMES[item.kind]}, {ago(now - item.at)}", class_="tau-quiet"), class_="tau-failure-head"
    )
    fold = tag("details", tag("summary", "Traceback"), tag("pre", item.traceback, tabindex=0)) if item.traceback else None
    return tag("div", head, tag("p", item.reason), fold, class_="tau-failure")


def _checks(checks: Sequence[CheckView]) -> Html:
    """What is at fault comes first."""
    rows = [_check(item) for item in sorted(checks, key=lambda item: item.ok)]
    return section("What the service says of itself", tag("div", *rows, class_="tau-checks"))


def _check(item: CheckView) -> Html:
    words = tag("span", tag("b", item.part), f": {item.found}", f". {item.remedy}." if item.remedy else "")
    return tag("div", FINE if item.ok else WARNING, words, class_="tau-check" + ("" if item.ok else " tau-fault"))


def _queues(queues: Sequence[QueueView]) -> Html:
    rows = [(item.name, item.waiting, item.computing, item.evaluations, _served(item)) for item in queues]
    return section("Queues", table(("Queue", "Waiting", "Computing", "Samples to draw", "Workers"), rows, "None."))


def _served(item: QueueView) -> object:
    stuck = item.workers == 0 and (item.waiting or item.evaluations)
    return tag("span", WARNING, "none serves it", class_="tau-silent") if stuck else item.workers


def _versions(versions: Sequence[VersionView]) -> Html:
    return section("Code versions", table(("Version", "Used by"), [(item.version, ", ".join(item.used_by)) for item in versions], "None."))


def _space(storage: StorageView) -> Html:
    """What artifacts take, against the quota where there is one."""
    warning = tag("p", WARNING, storage.warning, class_="tau-fault") if storage.warning else None
    return section("Space", join(tag("p", storage.words), warning))
