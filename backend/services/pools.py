"""The finished runs of each data set, as pools to calibrate probes on, remembered until another run of it finishes."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.storage.past_runs import FinishedRun, Version, finished_runs
from tauscope.analysis.onsets import Curve
from tauscope.analysis.warnings import PastRun, Pool
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.warnings import RunWarning
from tauscope.specs import KINDS

PROBES = ("loss_gap@", "mia_", "alpha_ho@", "stable_rank")
# What makes runs a configuration: everything that moves the weights but chance, not how long or how closely it was looked at.
_CONFIGURING = (
    *("kind", "network", "preconditioning", "parameterization", "process", "only_index", "optimizer"),
    *("batch_size", "replacement", "ema", "compute"),
)
_REMEMBERED = 20_000
_CONFIGURING_DATA = ("name", "n_train", "size")

PoolKey = tuple[str, int, float]
"""Data set, image size, level of tau_mem."""


class PoolCache:
    """The pools of each data set, remembered until a run of it finishes; and what was last said of each probe of a run."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Version, list[Pool]]] = {}
        self._said: OrderedDict[tuple[str, str], tuple[object, RunWarning]] = OrderedDict()
        self._lock = Lock()

    def of(self, session: Session, dataset: str, version: Version) -> list[Pool]:
        """One at a time: many open pages ask at the same moment."""
        with self._lock:
            held = self._held.get(dataset)
            if held is None or held[0] != version:
                held = self._held[dataset] = version, pools_from(finished_runs(session, dataset, PROBES))
            return held[1]

    def said(self, probe: tuple[str, str], now: object) -> RunWarning | None:
        """What was last said of a probe of a run, if ``now`` is still the same."""
        held = self._said.get(probe)
        return held[1] if held is not None and held[0] == now else None

    def say(self, probe: tuple[str, str], now: object, warning: RunWarning) -> None:
        """Remember it in place of what was said before."""
        with self._lock:
            self._said.pop(probe, None)
            self._said[probe] = now, warning
            while len(self._said) > _REMEMBERED:
                self._said.popitem(last=False)


def pools_from(runs: Sequence[FinishedRun]) -> list[Pool]:
    """One pool for each image size, definition of tau_mem and probe; of runs that are equal but for their length the first."""
    found: dict[tuple[PoolKey, str], dict[tuple[Any, ...], PastRun]] = {}
    for run in runs:
        onset = Onset.model_validate(run.onsets["tau_mem"]) if "tau_mem" in run.onsets else None
        if onset is None or onset.status not in (OnsetStatus.REACHED, OnsetStatus.CENSORED):
            continue
        last = float(run.series["f_mem"]["step"][-1])
        curves = {metric: Curve.of_columns(columns, share=False) for metric, columns in run.series.items()}
        past = PastRun(configuration_of(run.spec), curves, onset, last)
        chance = (past.configuration, run.spec.get("seed"), run.spec.get("dataset", {}).get("subset"))
        for metric, curve in curves.items():
            if metric != "f_mem" and len(curve.step):
                found.setdefault((pool_key(run.spec), metric), {}).setdefault(chance, past)
    return [Pool(*key, metric, tuple(same.values())) for (key, metric), same in sorted(found.items(), key=lambda item: item[0])]


def pool_key(spec: dict[str, Any]) -> PoolKey:
    """What runs have to agree in to be pooled."""
    data = spec.get("dataset", {})
    return str(data.get("name", "")), int(data.get("size", 0)), float(spec["onsets"]["tau_mem"]["level"])


def configuration_of(spec: dict[str, Any]) -> str:
    """The same text for runs that differ by seed, or in how long or closely they were looked at, alone."""
    spec = _whole(spec)
    told = {name: spec.get(name) for name in _CONFIGURING} | {name: spec.get("dataset", {}).get(name) for name in _CONFIGURING_DATA}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def _whole(spec: dict[str, Any]) -> dict[str, Any]:
    """A stored spec with the defaults of fields that came later; one of other code as it stands."""
    try:
        return KINDS[spec["kind"]].model_validate(spec).model_dump(mode="json")
    except (KeyError, ValidationError):
        return spec
