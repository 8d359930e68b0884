"""Early warnings: probes calibrated on the finished runs of a data set, and what they say of an experiment's runs."""

from collections.abc import Iterable, Sequence

from backend.services.context import Context
from backend.services.experiments import required
from backend.services.pools import configuration_of, pool_key
from backend.services.views import metrics_of
from backend.storage.curves import Columns, points_of, run_curves
from backend.storage.past_runs import dataset_versions
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.analysis.warnings import Pool, calibrate, warn
from tauscope.contracts.onsets import Onset
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.warnings import ExperimentWarnings, ProbeCalibration, RunWarning


def calibrations(context: Context) -> tuple[ProbeCalibration, ...]:
    """Every probe on every data set that runs finished on."""
    with reading(context.sessions) as session:
        versions = dataset_versions(session)
        pools = [pool for name, version in versions.items() for pool in context.warnings.of(session, name, version)]
    return tuple(calibrate(pool) for pool in pools)


def experiment_warnings(context: Context, experiment_id: str) -> ExperimentWarnings:
    """What every probe says of every run of an experiment, each at the level of other configurations.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        runs = required(session, experiment_id).experiment.runs
        versions = dataset_versions(session)
        infos = {name: info for name, info in metrics_of(list(runs)).items() if info.role == "warning"}
        names = dict.fromkeys(str(run.spec["dataset"]["name"]) for run in runs)
        pools = {name: context.warnings.of(session, name, versions[name]) if name in versions else [] for name in names}
        measured = run_curves(session, [run.id for run in runs], [*infos, "f_mem"])
    found = [
        (warning, pool)
        for run in runs
        for pool in _pools_of(run, pools[str(run.spec["dataset"]["name"])], infos)
        if (warning := _warning(context, run, measured.get(run.id, {}), pool)) is not None
    ]
    used = {(pool.dataset, pool.size, pool.tau_mem_level, pool.metric): pool for _, pool in found}
    return ExperimentWarnings(
        experiment_id=experiment_id,
        metrics=infos,
        warnings=tuple(warning for warning, _ in found),
        calibrations=tuple(calibrate(pool) for pool in used.values()),
    )


def _pools_of(run: Run, known: Sequence[Pool], metrics: Iterable[str]) -> list[Pool]:
    """For each probe that this run may measure the pool it is judged with, if only an empty one."""
    key = pool_key(run.spec)
    same = {pool.metric: pool for pool in known if (pool.dataset, pool.size, pool.tau_mem_level) == key}
    return [same.get(metric, Pool(*key, metric, ())) for metric in metrics]


def _warning(context: Context, run: Run, series: dict[str, Columns], pool: Pool) -> RunWarning | None:
    """Made anew only when the probe has another point, or what it is compared with has changed."""
    if pool.metric not in series:
        return None
    columns, onset = series[pool.metric], run.onsets.get("tau_mem")
    over = run.state in TERMINAL_STATES and "f_mem" in series
    ended_at = float(series["f_mem"]["step"][-1]) if over else None
    now = (pool, run.epoch, len(columns["step"]), columns["step"][-1], onset, ended_at)

    def build() -> RunWarning:
        return warn(
            run.id,
            points_of(pool.metric, columns),
            configuration=configuration_of(run.spec),
            pool=pool,
            tau_mem=Onset.model_validate(onset) if onset else None,
            ended_at=ended_at,
        )

    return context.warnings.remembered((run.id, pool.metric), now, build)
