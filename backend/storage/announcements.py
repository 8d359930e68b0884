"""The outbox of notifications: what each hook is to be told, written in the transaction in which it becomes true.

Nothing is sent here. A hook that nobody answers costs a row, and no training.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.storage.database import db_now
from backend.storage.ids import new_id
from backend.storage.tables import Experiment, Exploration, Notification, Run, Webhook
from tauscope.contracts.exploration import ExplorationState
from tauscope.contracts.notifications import Announcement, ExperimentNews, HookEvent, NumberNews, OnsetNews, RunNews, WarningNews
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.runs import TERMINAL_STATES, RunState

HAPPENED = (OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST)
MAX_TEXT = 2000  # Characters of a reason, so that a body stays a few kB.
_ENDS = {
    RunState.FINISHED: HookEvent.RUN_FINISHED,
    RunState.STOPPED: HookEvent.RUN_STOPPED,
    RunState.FAILED: HookEvent.RUN_FAILED,
}


def newly_happened(session: Session, run_id: str, onsets: Mapping[str, Onset]) -> list[str]:
    """The onsets that have happened by these, and had not by those on the run's row."""
    happened = [name for name, onset in onsets.items() if onset.status in HAPPENED]
    if not happened:
        return []
    before = session.execute(select(Run.onsets).where(Run.id == run_id)).scalar_one_or_none() or {}
    return [name for name in happened if before.get(name, {}).get("status") not in HAPPENED]


def announce_onsets(session: Session, run_id: str, names: Iterable[str]) -> None:
    """Announce onsets of a run that have just happened and stand on its row.

    A run that resumes from its checkpoint measures an onset a second time: a hook that was told of one whose interval overlaps
    is not told again. One that a later checkpoint took back, and that then comes elsewhere, is told anew.
    """
    for name in names:
        run = _run(session, run_id)
        onset = Onset.model_validate(run.onsets[name])
        hooks = _audience(session, HookEvent.ONSET_REACHED, run.experiment_id)
        told = _told(session, run_id, HookEvent.ONSET_REACHED, name) if hooks else []
        knowing = {hook for hook, news in told if news.run and _overlap(news.run.onsets[name], onset)}
        _tell(session, [hook for hook in hooks if hook.id not in knowing], HookEvent.ONSET_REACHED, run, subject=name, onset=name)


def announce_warning(session: Session, run_id: str, *, code: str, text: str) -> None:
    """Announce a warning about a run, in a transaction of the caller's; of one code each hook is told once a run.

    Args:
        code: what the warning is, at most 80 characters; it stays the same when the words change.
        text: what was seen, with numbers, and what may be done.
    """
    run = _run(session, run_id)
    hooks = _audience(session, HookEvent.WARNING_RAISED, run.experiment_id)
    knowing = {hook for hook, _ in _told(session, run_id, HookEvent.WARNING_RAISED, code)} if hooks else set()
    warning = WarningNews(code=code, text=text[:MAX_TEXT])
    _tell(session, [hook for hook in hooks if hook.id not in knowing], HookEvent.WARNING_RAISED, run, subject=code, warning=warning)


def announce_ends(session: Session, run_ids: Sequence[str]) -> None:
    """Announce runs that have just ended, and each experiment whose last run that was."""
    if not run_ids or session.scalar(select(func.count()).select_from(Webhook).where(Webhook.enabled)) == 0:
        return
    runs = [_run(session, run_id) for run_id in run_ids]
    for run in runs:
        event = _ENDS[RunState(run.state)]
        _tell(session, _audience(session, event, run.experiment_id), event, run)
    for experiment_id in sorted({run.experiment_id for run in runs}):
        announce_experiment_end(session, experiment_id)


def announce_experiment_end(session: Session, experiment_id: str) -> None:
    """Announce that an experiment has ended, if it has: every run is over, and no exploration will choose another."""
    hooks = _audience(session, HookEvent.EXPERIMENT_ENDED, experiment_id)
    if hooks and _is_over(session, experiment_id):
        _tell(session, hooks, HookEvent.EXPERIMENT_ENDED, None, experiment_id=experiment_id)


def announce_test(session: Session, hook: Webhook) -> str:
    """Send a hook something to try it with, and return the id of the delivery."""
    return _tell(session, [hook], HookEvent.TEST, None)[0]


def _audience(session: Session, event: HookEvent, experiment_id: str) -> list[Webhook]:
    """The hooks that want to be told."""
    mine = or_(Webhook.experiment_id.is_(None), Webhook.experiment_id == experiment_id)
    return [hook for hook in session.scalars(select(Webhook).where(Webhook.enabled, mine)) if event in hook.events]


def _told(session: Session, run_id: str, event: HookEvent, subject: str) -> list[tuple[str, Announcement]]:
    """What was said before about this subject, and to which hook."""
    said = (Notification.run_id == run_id, Notification.event == event, Notification.subject == subject)
    rows = session.execute(select(Notification.webhook_id, Notification.payload).where(*said))
    return [(hook_id, Announcement.model_validate(payload)) for hook_id, payload in rows]


def _is_over(session: Session, experiment_id: str) -> bool:
    """Whether every run has ended, and none will be chosen. Of two last ones that end at once the second waits here, and sees the first."""
    session.execute(select(Experiment.id).where(Experiment.id == experiment_id).with_for_update(key_share=True))
    active = select(func.count()).select_from(Run).where(Run.experiment_id == experiment_id, Run.state.not_in(TERMINAL_STATES))
    mine = (Exploration.experiment_id == experiment_id, Exploration.state == ExplorationState.RUNNING.value)
    choosing = select(func.count()).select_from(Exploration).where(*mine)
    return session.scalar(active) == 0 and session.scalar(choosing) == 0


def _tell(
    session: Session,
    hooks: Sequence[Webhook],
    event: HookEvent,
    run: Run | None,
    *,
    experiment_id: str | None = None,
    subject: str = "",
    **about: Any,
) -> list[str]:
    """Write a notification for each hook, and return their ids."""
    if not hooks:
        return []
    at = float(session.execute(select(db_now())).scalar_one())
    experiment_id = run.experiment_id if run else experiment_id
    said = Announcement(
        id=new_id(at),
        event=event,
        at=at,
        experiment=_experiment_news(session, experiment_id) if experiment_id else None,
        run=_run_news(run) if run else None,
        links=_links(experiment_id, run.id if run else None),
        **about,
    )
    payload = said.model_dump(mode="json")
    place = {"experiment_id": experiment_id, "run_id": run.id if run else None}
    fields = {"event_id": said.id, "event": event, "subject": subject, "payload": payload, **place}
    rows = [Notification(id=new_id(at), webhook_id=hook.id, due_at=at, **fields) for hook in hooks]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def _run(session: Session, run_id: str) -> Run:
    # Updates of a run go past the session's objects.
    return session.get_one(Run, run_id, populate_existing=True)


def _experiment_news(session: Session, experiment_id: str) -> ExperimentNews:
    counts = select(Run.state, func.count()).where(Run.experiment_id == experiment_id).group_by(Run.state).order_by(Run.state)
    name = session.execute(select(Experiment.name).where(Experiment.id == experiment_id)).scalar_one()
    return ExperimentNews(id=experiment_id, name=name, runs={state: count for state, count in session.execute(counts)})  # noqa: C416 - a Row is no plain pair to the type checker


def _run_news(run: Run) -> RunNews:
    final = run.final or {}
    onsets = {name: OnsetNews(**onset, count=final.get(f"{onset['metric']}_count")) for name, onset in (run.onsets or {}).items()}
    return RunNews(
        id=run.id,
        label=run.label,
        params=run.params,
        state=run.state,
        step=run.step,
        steps=run.steps,
        measured_step=final.get("step"),
        reason=run.reason[:MAX_TEXT],
        onsets=onsets,
        numbers=_numbers(final),
    )


def _numbers(final: Mapping[str, Any]) -> tuple[NumberNews, ...]:
    """Last values as they stand on a run's row: a metric's value, its interval and its count, each under a name of its own."""
    metrics = [name.removesuffix("_count") for name in final if name.endswith("_count")]
    ends = {"value": "", "low": "_low", "high": "_high", "count": "_count"}
    return tuple(NumberNews(metric=metric, **{field: final.get(metric + end) for field, end in ends.items()}) for metric in metrics)


def _links(experiment_id: str | None, run_id: str | None) -> dict[str, str]:
    """Addresses below that of the dashboard, which passes /api on."""
    links = {"system": "/system"}
    if experiment_id:
        links |= {"experiment": f"/experiment?id={experiment_id}", "summary": f"/api/v1/experiments/{experiment_id}/summary"}
    if run_id:
        links |= {"run": f"/run?id={run_id}", "inspect": f"/inspect?run={run_id}", "checkpoints": f"/api/v1/runs/{run_id}/checkpoints"}
    return links


def _overlap(one: Onset, other: Onset) -> bool:
    """Whether the intervals of two onsets share a moment; an open end reaches as far as there are steps."""
    (low, high), (other_low, other_high) = (((onset.low or 0.0), onset.high) for onset in (one, other))
    return (other_high is None or low <= other_high) and (high is None or other_low <= high)
