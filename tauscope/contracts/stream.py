"""What the event stream of an experiment sends, by the name of the event.

``points`` come exactly once: the stream's id is a cursor, and a reader that resumes from it misses nothing and gets nothing
twice. ``run`` and ``experiment`` are states, repeated whenever a reader connects. ``rewind`` means that a run went back to
an earlier step: drop its points beyond ``step`` (or fetch its curves again); they come anew as ``points``.
"""

from pydantic import Field

from tauscope.contracts.curves import Series
from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import PowerLawFit
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState


class PointsNews(Contract):
    """Event ``points``: what a run has measured since the cursor."""

    run_id: str
    metrics: dict[str, Series]


class RewindNews(Contract):
    """Event ``rewind``: a run went back to a checkpoint."""

    run_id: str
    step: int = Field(description="the last step whose points still hold; -1 if none does")


class ExperimentNews(Contract):
    """Event ``experiment``: the state or the fits changed."""

    id: str
    state: RunState
    fits: dict[str, PowerLawFit]
    server_time: float = Field(description="database clock, to tell how old the news is")


StreamData = PointsNews | RewindNews | RunView | ExperimentNews

STREAM_EVENTS: dict[str, type[StreamData]] = {
    "points": PointsNews,
    "rewind": RewindNews,
    "run": RunView,
    "experiment": ExperimentNews,
}
