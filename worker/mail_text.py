"""What a mail says: which run, what happened, and its numbers with interval and count."""

from datetime import UTC, datetime

from tauscope.contracts.notifications import Announcement, HookEvent, NumberNews, OnsetNews, RunNews
from tauscope.contracts.onsets import OnsetStatus

MAX_SUBJECT = 150
_WORDS = {
    HookEvent.WARNING_RAISED: "warning",
    HookEvent.RUN_FINISHED: "run finished",
    HookEvent.RUN_STOPPED: "run stopped",
    HookEvent.RUN_FAILED: "run failed",
    HookEvent.EXPERIMENT_ENDED: "experiment ended",
    HookEvent.TEST: "test",
}


def mail_subject(said: Announcement) -> str:
    """What happened, and to which run of which experiment."""
    what = f"{said.onset} {_passed(said)}" if said.onset else _WORDS[said.event]
    warning = f" {said.warning.code}" if said.warning else ""
    where = ", ".join(part for part in (said.experiment.name if said.experiment else "", said.run.label if said.run else "") if part)
    subject = f"[tauscope] {what}{warning}" + (f": {where}" if where else "")
    # A subject is one line.
    return "".join(sign if sign.isprintable() else " " for sign in subject)[:MAX_SUBJECT]


def mail_text(said: Announcement) -> str:
    """Everything there is to say, as sentences and lines."""
    parts = [f"{mail_subject(said).removeprefix('[tauscope] ')}."]
    if said.onset and said.run:
        parts.append(_onset_line(said.onset, said.run.onsets[said.onset]))
    if said.warning:
        parts.append(said.warning.text)
    if said.run:
        parts += _run_lines(said.run, but=said.onset)
    if said.experiment:
        parts.append("Runs of the experiment: " + ", ".join(f"{count} {state}" for state, count in said.experiment.runs.items()) + ".")
    parts += [f"{name}: {address}" for name, address in said.links.items()]
    parts.append(f"{datetime.fromtimestamp(said.at, UTC):%Y-%m-%d %H:%M:%S} UTC, event {said.id}")
    return "\n".join(parts) + "\n"


def _passed(said: Announcement) -> str:
    assert said.run is not None and said.onset is not None
    return "reached" if said.run.onsets[said.onset].status is OnsetStatus.REACHED else "before the first checkpoint"


def _run_lines(run: RunNews, *, but: str | None) -> list[str]:
    lines = [f"Run {run.id} is {run.state} at step {run.step:,} of {run.steps:,}." + (f" {run.reason}" if run.reason else "")]
    lines += [_onset_line(name, onset) for name, onset in run.onsets.items() if name != but]
    measured = "" if run.measured_step is None else f" at step {run.measured_step:,}"
    return lines + ([f"Last measured values{measured}, 95 % intervals:"] * bool(run.numbers)) + [_number_line(item) for item in run.numbers]


def _onset_line(name: str, onset: OnsetNews) -> str:
    of = f"; {onset.metric} at {onset.level:g}" + (f", count {onset.count:,} a point" if onset.count is not None else "")
    if onset.status is OnsetStatus.REACHED:
        assert onset.value is not None
        high = f"{onset.high:,.0f}" if onset.high is not None else "no upper end yet, the next checkpoint must confirm it"
        return f"{name} = {onset.value:,.0f} steps (95 % interval {onset.low or 0:,.0f} to {high}{of})."
    return f"{name}: {onset.reason or onset.status.value} ({onset.status.value.replace('_', ' ')}{of})."


def _number_line(item: NumberNews) -> str:
    if item.value is None:
        return f"  {item.metric}: no value"
    spread = f" ({item.low:.4g} to {item.high:.4g})" if item.low is not None and item.high is not None else " (no interval)"
    return f"  {item.metric} = {item.value:.4g}{spread}" + (f" of {item.count:,}" if item.count else "")
