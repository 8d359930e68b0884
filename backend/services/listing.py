"""Listing experiments, counting them, tagging them, putting them away, and saying what a deletion removes."""

from collections.abc import Sequence

from sqlalchemy import delete

from backend.services.context import Context
from backend.services.errors import ExperimentActiveError
from backend.services.experiments import required, view
from backend.services.views import experiment_view
from backend.storage import listing, removal
from backend.storage.census import living_workers, server_time
from backend.storage.listing import Filter
from backend.storage.reading import reading
from backend.storage.tables import Experiment, ExperimentTag
from tauscope.contracts.experiments import ExperimentPage, ExperimentView
from tauscope.contracts.listing import DeletionPreview, ExperimentCensus, ListState
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.specs import KINDS

# The letters by which pages call two of them.
_LETTERS = {"n": "n_train", "W": "width"}
_COUNTED = (ListState.LIVE, ListState.ATTENTION, ListState.FINISHED)


def make_filter(
    *, query: str = "", state: ListState | None = None, data: str | None = None, tag: str | None = None, archived: bool = False
) -> Filter:
    """A filter that knows the short names of every kind's settings."""
    aliases = {short: path for kind in KINDS.values() for short, path in kind.ALIASES.items()}
    aliases |= {letter: aliases[short] for letter, short in _LETTERS.items() if short in aliases}
    return Filter(query=query, state=state, data=data, tag=tag, archived=archived, aliases=aliases)


def page(context: Context, wanted: Filter, *, cursor: str | None, limit: int, final: bool = True) -> ExperimentPage:
    """Experiments, newest first; with every run's last values only if ``final``."""
    with reading(context.sessions) as session:
        found = listing.list_experiments(session, wanted, limit=limit + 1, before=cursor, final=final)
        now, total, workers = server_time(session), listing.count_experiments(session, wanted), living_workers(session)
    items = tuple(experiment_view(row.experiment, row.state, context.fits.of(row.experiment), now, workers) for row in found[:limit])
    return ExperimentPage(items=items, next_cursor=items[-1].id if len(found) > limit else None, total=total)


def census(context: Context, *, query: str, data: str | None, tag: str | None) -> ExperimentCensus:
    """How many there are in each state that the list can be filtered by, and what else it can be filtered by."""
    states: dict[str, ListState | None] = {"all": None, **{state.value: state for state in _COUNTED}}
    filters = {name: make_filter(query=query, state=state, data=data, tag=tag) for name, state in states.items()}
    filters["archived"] = make_filter(query=query, data=data, tag=tag, archived=True)
    with reading(context.sessions) as session:
        counts = {name: listing.count_experiments(session, wanted) for name, wanted in filters.items()}
        return ExperimentCensus(counts=counts, tags=listing.count_tags(session), datasets=listing.count_datasets(session))


def set_tags(context: Context, experiment_id: str, tags: Sequence[str]) -> ExperimentView:
    """Give an experiment these tags and no others."""
    with context.sessions.begin() as session:
        required(session, experiment_id)
        session.execute(delete(ExperimentTag).where(ExperimentTag.experiment_id == experiment_id))
        session.add_all(ExperimentTag(experiment_id=experiment_id, tag=tag) for tag in tags)
    return view(context, experiment_id)


def set_archived(context: Context, experiment_id: str, archived: bool) -> ExperimentView:
    """Put an experiment away, or take it out again.

    Raises:
        ExperimentActiveError: if it is to be put away while a run waits, computes or is paused.
    """
    with context.sessions.begin() as session:
        experiment = required(session, experiment_id).experiment
        if archived and not _is_over(experiment):
            raise ExperimentActiveError("A run of it waits, computes or is paused", f"POST /api/v1/experiments/{experiment_id}/stop first")
        experiment.archived_at = server_time(session) if archived else None
    return view(context, experiment_id)


def preview_deletion(context: Context, experiment_id: str) -> DeletionPreview:
    """What deleting an experiment would remove; removes nothing."""
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        held = removal.contents(session, experiment_id)
    return DeletionPreview(runs=len(experiment.runs), allowed=_is_over(experiment), **held._asdict())


def _is_over(experiment: Experiment) -> bool:
    return all(run.state in TERMINAL_STATES for run in experiment.runs)
