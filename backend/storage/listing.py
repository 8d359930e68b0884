"""Finding experiments among many: by state, words, settings, data set, tag, and whether they were put away."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, and_, case, cast, exists, false, func, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from backend.storage.database import db_now
from backend.storage.experiments import Found, state_of, with_state
from backend.storage.tables import Experiment, ExperimentTag, Run
from tauscope.contracts.listing import ListState
from tauscope.contracts.runs import STALE_AFTER_SECONDS, TERMINAL_STATES, RunState

_SETTING = re.compile(r"([A-Za-z_][\w.]*)\s*(>=|<=|=|>|<)\s*([^\s,]+)")
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Filter:
    """Which experiments are meant. ``query`` holds words and settings such as ``n_train = 16``; ``aliases`` are their short names."""

    query: str = ""
    state: ListState | None = None
    data: str | None = None
    tag: str | None = None
    archived: bool = False
    aliases: Mapping[str, str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What an experiment must fulfil."""
        put_away = Experiment.archived_at.is_not(None)
        found = [put_away if self.archived else ~put_away, *self._searched()]
        if self.data is not None:
            found.append(_some_run(setting("dataset.name") == self.data))
        if self.tag is not None:
            found.append(exists().where(ExperimentTag.experiment_id == Experiment.id, ExperimentTag.tag == self.tag))
        return [*found, *([_in_state(self.state)] if self.state is not None else [])]

    def _searched(self) -> Iterator[ColumnElement[bool]]:
        for name, comparison, value in _SETTING.findall(self.query):
            yield _some_run(_compared((self.aliases or {}).get(name, name), comparison, value))
        for word in _SETTING.sub(" ", self.query).replace(",", " ").split():
            tagged = exists().where(ExperimentTag.experiment_id == Experiment.id, ExperimentTag.tag.icontains(word, autoescape=True))
            of_data = _some_run(setting("dataset.name").icontains(word, autoescape=True))
            yield or_(Experiment.name.icontains(word, autoescape=True), tagged, of_data)


def list_experiments(session: Session, wanted: Filter, *, limit: int, before: str | None, final: bool = True) -> list[Found]:
    """Experiments, newest first, from the one created before ``before``. Without ``final`` no run's last values are read."""
    query = with_state().where(*wanted.conditions()).order_by(Experiment.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Experiment.id < before)
    if not final:
        query = query.options(selectinload(Experiment.runs).defer(Run.final))
    found = [Found(row[0], RunState(row[1])) for row in session.execute(query)]
    if not final:
        for run in (run for item in found for run in item.experiment.runs):
            set_committed_value(run, "final", {})
    return found


def count_experiments(session: Session, wanted: Filter) -> int:
    """How many a filter finds."""
    return session.scalars(select(func.count()).select_from(Experiment).where(*wanted.conditions())).one()


def count_tags(session: Session) -> dict[str, int]:
    """Every tag, with how many experiments have it."""
    rows = session.execute(select(ExperimentTag.tag, func.count()).group_by(ExperimentTag.tag).order_by(ExperimentTag.tag))
    return {row[0]: row[1] for row in rows}


def count_datasets(session: Session) -> dict[str, int]:
    """Every data set that was trained on, with in how many experiments."""
    name = setting("dataset.name").label("name")
    rows = session.execute(select(name, func.count(Run.experiment_id.distinct())).where(name.is_not(None)).group_by(name).order_by(name))
    return {row[0]: row[1] for row in rows}


def _some_run(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Run.experiment_id == Experiment.id, condition)


def setting(path: str) -> ColumnElement[str]:
    """A field of a run's resolved spec as text; nothing where it has none."""
    return cast(Run.spec[tuple(path.split("."))].as_string(), Text)


def _compared(path: str, comparison: str, value: str) -> ColumnElement[bool]:
    text = setting(path)
    if not re.match(_NUMBER, value):
        return text == value if comparison == "=" else false()
    # Text that is no number must not reach the cast.
    as_number: ColumnElement[Any] = case((text.regexp_match(_NUMBER), cast(text, Float)), else_=None)
    return _COMPARE[comparison](as_number, float(value))


def _in_state(state: ListState) -> ColumnElement[bool]:
    if state is ListState.LIVE:
        return _some_run(Run.state.not_in(TERMINAL_STATES))
    if state is ListState.ATTENTION:
        running = Run.state == RunState.RUNNING.value
        fresh = func.coalesce(Run.updated_at, Experiment.created_at) > db_now() - STALE_AFTER_SECONDS
        stale = and_(_some_run(running), ~_some_run(and_(running, fresh)))
        return or_(state_of() == RunState.FAILED.value, stale)
    return state_of() == state.value
