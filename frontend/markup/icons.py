"""Marks as SVG: the onset marks and the states, told apart by shape and not by colour alone."""

from frontend.markup.html import Html
from tauscope.contracts.runs import RunState


def _svg(body: str, size: int = 12) -> Html:
    return Html(f'<svg class="tau-icon" width="{size}" height="{size}" viewBox="0 0 12 12" aria-hidden="true">{body}</svg>')


GEN = _svg('<circle cx="6" cy="6" r="4.5" fill="var(--tau-quality)"/>')
MEM = _svg('<path d="M6 .8 11.2 6 6 11.2 .8 6z" fill="var(--tau-memorization)"/>')
SPLIT = _svg('<path d="M2 2h8v8H2z" fill="var(--tau-ink-1)"/>')
RAISED = _svg('<path d="M6 1 11.2 10.5H.8z" fill="var(--tau-warning)"/>')
FORECAST = _svg('<path d="M6 1.6 10.4 6 6 10.4 1.6 6z" fill="none" stroke="var(--tau-memorization)" stroke-width="1.3"/>')
WINDOW = Html(
    '<svg class="tau-icon" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">'
    '<rect width="22" height="10" rx="2" fill="var(--tau-quality)" opacity=".28"/></svg>'
)
CENSORED = Html(
    '<svg class="tau-icon" width="18" height="12" viewBox="0 0 18 12" aria-hidden="true">'
    '<path d="M2 2v8M2 6h10" stroke="currentColor" stroke-width="2" fill="none"/><path d="M11 2.5 17 6l-6 3.5z" fill="currentColor"/></svg>'
)
CONTROL = Html(
    '<svg class="tau-icon" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">'
    '<path d="M1 5h20" stroke="var(--tau-control)" stroke-width="1.5" stroke-dasharray="2 3"/></svg>'
)
LIVE = Html(
    '<svg class="tau-icon" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">'
    '<circle cx="7" cy="7" r="4.5" fill="none" stroke="currentColor" stroke-width="2"/></svg>'
)
WARNING = Html(
    '<svg class="tau-icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M8 1.8 15 14H1z" fill="none" stroke="var(--tau-warning-text)" stroke-width="1.5" stroke-linejoin="round"/>'
    '<path d="M8 6v4M8 11.6v.9" stroke="var(--tau-warning-text)" stroke-width="1.5"/></svg>'
)

FINE = _svg('<path d="M1.5 6.5 4.7 9.5 10.5 2.5" fill="none" stroke="var(--tau-finished)" stroke-width="2"/>')

_STATES: dict[str, Html] = {
    RunState.RUNNING: _svg('<circle cx="6" cy="6" r="4" fill="var(--tau-action)"/>'),
    RunState.QUEUED: _svg('<circle cx="6" cy="6" r="4" fill="none" stroke="var(--tau-ink-3)" stroke-width="1.5"/>'),
    RunState.FINISHED: FINE,
    RunState.FAILED: _svg('<path d="M2 2l8 8M10 2l-8 8" stroke="var(--tau-ink-1)" stroke-width="2"/>'),
    RunState.PAUSED: _svg('<path d="M4 2.5v7M8 2.5v7" stroke="var(--tau-ink-3)" stroke-width="2"/>'),
    RunState.STOPPED: _svg('<rect x="2.5" y="2.5" width="7" height="7" fill="var(--tau-ink-3)"/>'),
}
_STALE = _svg('<circle cx="6" cy="6" r="4.2" fill="none" stroke="var(--tau-warning)" stroke-width="2" stroke-dasharray="2.4 2"/>')


def state_icon(state: RunState, *, stale: bool = False) -> Html:
    """The mark of a state; a dashed ring where no news comes."""
    return _STALE if stale else _STATES[state]


def swatch(colour: str) -> Html:
    """The colour of an n, as a short line."""
    return Html(f'<span class="tau-swatch" style="background:{colour}"></span>')
