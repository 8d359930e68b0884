"""Early warnings: probes calibrated on the finished runs of a data set, and what they say of an experiment's runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.experiments import required
from backend.services.pools import configuration_of, pool_key
from backend.services.views import metrics_of
from backend.storage.curves import COLUMNS, Columns, Extent, extents, run_curves
from backend.storage.past_runs import dataset_versions
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.analysis.onsets import Curve
from tauscope.analysis.warnings import Pool, calibrate, warn
from tauscope.contracts.onsets import Onset
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.warnings import ExperimentWarnings, ProbeCalibration, RunWarning

_NOTHING: Columns = {name: [] for name in COLUMNS}


def calibrations(context: Context) -> tuple[ProbeCalibration, ...]:
    """Every probe on every data set that runs finished on."""
    with reading(context.sessions) as session:
        versions = dataset_versions(session)
        pools = [pool for name, version in versions.items() for pool in context.warnings.of(session, name, version)]
    return tuple(calibrate(pool) for pool in pools)


def _data(run: Run) -> str:
    return str(run.spec.get("dataset", {}).get("name", ""))


def experiment_warnings(context: Context, experiment_id: str) -> ExperimentWarnings:
    """What every probe says of every run of an experiment, each at the level of other configurations.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        runs = required(session, experiment_id).experiment.runs
        versions = dataset_versions(session)
        infos = {name: info for name, info in metrics_of(list(runs)).items() if info.role == "warning"}
        names = dict.fromkeys(_data(run) for run in runs)
        pools = {name: context.warnings.of(session, name, versions[name]) if name in versions else [] for name in names}
        lengths = extents(session, [run.id for run in runs], [*infos, "f_mem"])
        judged = [(run, pool) for run in runs for pool in _pools_of(run, pools[_data(run)], infos)]
        probes = [Probe.of(run, pool, lengths) for run, pool in judged if (run.id, pool.metric) in lengths]
        held = [context.warnings.said(probe.key, probe.now) for probe in probes]
        unread = [probe for probe, said in zip(probes, held, strict=True) if said is None and not probe.pool.lacking]
        measured = _read(session, unread) if unread else {}
    found = [
        (said or _warning(context, probe, measured.get(probe.run.id, {})), probe.pool) for probe, said in zip(probes, held, strict=True)
    ]
    used = {(pool.dataset, pool.size, pool.tau_mem_level, pool.metric): pool for _, pool in found}
    return ExperimentWarnings(
        experiment_id=experiment_id,
        metrics=infos,
        warnings=tuple(warning for warning, _ in found),
        calibrations=tuple(calibrate(pool) for pool in used.values()),
    )


def _read(session: Session, probes: Sequence["Probe"]) -> dict[str, dict[str, Columns]]:
    return run_curves(session, list({probe.run.id for probe in probes}), list({probe.pool.metric for probe in probes}))


def _pools_of(run: Run, known: Sequence[Pool], metrics: Iterable[str]) -> list[Pool]:
    """For each probe that this run may measure the pool it is judged with, if only an empty one."""
    key = pool_key(run.spec)
    same = {pool.metric: pool for pool in known if (pool.dataset, pool.size, pool.tau_mem_level) == key}
    return [same.get(metric, Pool(*key, metric, ())) for metric in metrics]


@dataclass(frozen=True)
class Probe:
    """One probe of one run, and what decides what is said of it: its points, what they are compared with, and the run's own end."""

    run: Run
    pool: Pool
    length: Extent
    ended_at: float | None

    @classmethod
    def of(cls, run: Run, pool: Pool, lengths: Mapping[tuple[str, str], Extent]) -> "Probe":
        """The probe of a pool in a run that has measured it."""
        copying = lengths.get((run.id, "f_mem"))
        over = copying is not None and run.state in TERMINAL_STATES
        return cls(run, pool, lengths[run.id, pool.metric], float(copying.last) if copying is not None and over else None)

    @property
    def key(self) -> tuple[str, str]:
        return self.run.id, self.pool.metric

    @property
    def now(self) -> tuple[object, ...]:
        """As long as it is the same, so is what is said."""
        return self.pool, self.run.epoch, self.length, self.run.onsets.get("tau_mem"), self.ended_at


def _warning(context: Context, probe: Probe, series: Mapping[str, Columns]) -> RunWarning:
    """What is said of a probe by its points, which are not needed where nothing can be calibrated."""
    metric, onset = probe.pool.metric, probe.run.onsets.get("tau_mem")
    made = warn(
        probe.run.id,
        Curve.of_columns(series.get(metric, _NOTHING), share=False),
        configuration=configuration_of(probe.run.spec),
        pool=probe.pool,
        tau_mem=Onset.model_validate(onset) if onset else None,
        ended_at=probe.ended_at,
    )
    context.warnings.say(probe.key, probe.now, made)
    return made
