"""Synthetic experiments in every state a page must show: as contracts, with curves that look like the real ones."""

import math
from typing import Any

from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.listing import DeletionPreview
from tauscope.contracts.onsets import Onset, OnsetStatus, PowerLawFit
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import DesiredState, RunState

T0 = 1_790_000_000.0
N_GENERATED = 384
BUDGETS = {16: 450, 32: 1100, 64: 2400}
SAMPLE_STEPS = (5, 7, 11, 16, 24, 36, 54, 80, 119, 178, 266, 397, 450, 592, 884, 1100, 1320, 1763, 2400)


def sweep(name: str = "digits-demo", sizes: tuple[int, ...] = (16, 32, 64)) -> dict[str, Any]:
    """A resolved sweep document as the API returns it."""
    return {
        "name": name,
        "summary": "",
        "combine": "cross",
        "axes": {"n_train": list(sizes)},
        "overrides": {"steps": {"by": "n_train", "values": {str(n): BUDGETS[n] for n in sizes}}},
        "base": {
            "kind": "image_ddpm",
            "dataset": {"name": "digits", "size": 8, "n_train": 64},
            "network": {"name": "unet", "base_width": 16},
            "optimizer": {"name": "adam", "lr": 0.002},
            "batch_size": 64,
            "steps": 2400,
            "seed": 4,
            "measurement": {"schedule": {"kind": "log_spaced", "first": 5, "count": 15}, "n_generated": N_GENERATED},
            "onsets": {"tau_gen": {"metric": "loss_held_out@100", "level": 0.55}, "tau_mem": {"metric": "f_mem", "level": 0.25}},
        },
    }


def infos() -> dict[str, MetricInfo]:
    """The metrics of a digits run."""
    made = [
        _info(
            "f_mem",
            "memorized samples f_mem",
            "memorization",
            "Share of generated images nearer to one training image than 1/3 of the second.",
            control="f_mem_control",
        ),
        _info("f_mem_control", "held-out control", "control", "The same share for real held-out images."),
        _info(
            "frechet_pca", "Fréchet distance on 16 principal components", "quality", "Of 384 generated against held-out images.", log=True
        ),
        _info("frechet_pca_floor", "real against real", "control", "The same distance for real images.", log=True),
        _info("frechet_pca_train", "training set against held-out", "control", "What a perfect copier scores.", log=True),
    ]
    for index, alpha_bar in ((10, 0.998), (100, 0.895)):
        where = f"at index {index} (alpha_bar {alpha_bar:.3f})"
        made.append(
            _info(
                f"loss_train@{index}", f"training loss {where}", "loss", "Mean squared error.", log=True, index=index, alpha_bar=alpha_bar
            )
        )
        made.append(
            _info(f"loss_gap@{index}", f"relative loss gap {where}", "warning", "Of both losses.", index=index, alpha_bar=alpha_bar)
        )
        made.append(
            _info(
                f"loss_held_out@{index}",
                f"held-out loss {where}",
                "quality",
                "Mean squared error.",
                log=True,
                index=index,
                alpha_bar=alpha_bar,
            )
        )
    return {info.name: info for info in made}


def _info(
    name: str,
    label: str,
    role: Any,
    definition: str,
    *,
    control: str | None = None,
    log: bool = False,
    index: int | None = None,
    alpha_bar: float | None = None,
) -> MetricInfo:
    return MetricInfo(
        name=name,
        label=label,
        unit="share of 384 samples",
        role=role,
        definition=definition,
        control=control,
        log_scale=log,
        index=index,
        alpha_bar=alpha_bar,
    )


def series(rows: list[tuple[int, float | None, float | None, float | None, int | None]]) -> Series:
    """A series from rows (step, value, low, high, count)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Series(
        step=columns[0],
        value=columns[1],
        low=columns[2],
        high=columns[3],
        count=columns[4],
        reason=tuple(None if row[1] is not None else "diverged" for row in rows),
    )


def f_mem(n: float, step: int) -> float:
    """Copying: it starts later for more images."""
    return round(N_GENERATED * 0.82 / (1 + (15 * n**1.05 / step) ** 2.6)) / N_GENERATED


def held_out_loss(n: float, step: int) -> float:
    """It falls alike for every n and rises again where copying starts."""
    return 0.33 + 0.75 / (1 + (step / 17) ** 1.3) + 0.35 * f_mem(n, step)


def run_curves(n: int, upto: int) -> dict[str, Series]:
    """Every series of a run that has come to step ``upto``."""
    steps = [step for step in SAMPLE_STEPS if step <= min(upto, BUDGETS[n])]
    losses = sorted({round(5 * (BUDGETS[n] / 5) ** (k / 35)) for k in range(36)})
    losses = [step for step in losses if step <= upto]
    floor = 0.31
    copier = {16: 7.1, 32: 3.0, 64: 1.3}[n]
    found = {
        "f_mem": series([(s, f_mem(n, s), *clopper(f_mem(n, s)), N_GENERATED) for s in steps]),
        "f_mem_control": series([(s, 0.001, 0.0, 0.0055, 1000) for s in steps]),
        "frechet_pca": series([(s, v := copier * 0.8 + 9 / (1 + (s / 22) ** 1.4), v * 0.93, v * 1.07, N_GENERATED) for s in steps]),
        "frechet_pca_floor": series([(s, floor, floor * 0.8, floor * 1.2, N_GENERATED) for s in steps]),
        "frechet_pca_train": series([(s, copier, None, None, n) for s in steps]),
    }
    for index, gap in ((10, 1.4), (100, 1.0)):
        held = [(s, held_out_loss(n, s) * gap) for s in losses]
        found[f"loss_held_out@{index}"] = series([(s, v, v * 0.97, v * 1.03, 512) for s, v in held])
        found[f"loss_train@{index}"] = series(
            [(s, v * (1 - 0.85 * f_mem(n, s)), v * 0.9 * (1 - 0.85 * f_mem(n, s)), v * (1 - 0.85 * f_mem(n, s)), 512) for s, v in held]
        )
    gaps = [(s, loss_gap(n, s)) for s in losses]
    found["loss_gap@100"] = series([(s, v, v - 0.015, v + 0.015, 512) for s, v in gaps])
    return {name: item for name, item in found.items() if item.step}


def loss_gap(n: float, step: int) -> float:
    """The gap opens ahead of copying: it is at one half when 0.42 of the time to it has passed."""
    return 0.97 / (1 + (0.42 * 15 * n**1.05 / step) ** 1.4)


def clopper(share: float, count: int = N_GENERATED) -> tuple[float, float]:
    """Close enough to a Clopper-Pearson interval for a picture."""
    spread = 1.96 * math.sqrt(share * (1 - share) / count)
    return (0.0, 3.7 / count) if share == 0 else (max(0.0, share - spread), min(1.0, share + spread + 0.5 / count))


def reached(value: float, low: float, high: float, metric: str, level: float) -> Onset:
    """An onset that was reached."""
    return Onset(value=value, low=low, high=high, status=OnsetStatus.REACHED, metric=metric, level=level, reason="")


def not_by(step: int, metric: str, level: float, low: float | None = None) -> Onset:
    """An onset that was not reached by a step."""
    return Onset(
        value=None,
        low=step if low is None else low,
        high=None,
        status=OnsetStatus.CENSORED,
        metric=metric,
        level=level,
        reason=f"not by {step:,}",
    )


def onsets(n: int, upto: int) -> dict[str, Onset]:
    """Both onsets as known at a step."""
    gen, mem = 31.0, {16: 230.0, 32: 480.0, 64: 1000.0}[n]
    return {
        "tau_gen": reached(gen, 27, 36, "loss_held_out@100", 0.55) if upto > 36 else not_by(upto, "loss_held_out@100", 0.55),
        "tau_mem": reached(mem, mem * 0.94, mem * 1.07, "f_mem", 0.25) if upto > mem * 1.2 else not_by(upto, "f_mem", 0.25),
    }


def markers(n: int, upto: int) -> dict[str, Onset]:
    """When the held-out loss is least, as known at a step."""
    least, metric = {16: 95.0, 32: 190.0, 64: 400.0}[n], "loss_held_out@100"
    if upto > 2 * least:
        return {"tau_test": reached(least, 0.6 * least, 1.7 * least, metric, 0.51)}
    return {"tau_test": not_by(upto, metric, 0.51).model_copy(update={"reason": f"no rise by {upto:,}"})}


def final(n: int, upto: int) -> dict[str, float | int | None]:
    """The last value of what the side column shows."""
    share = f_mem(n, upto)
    low, high = clopper(share)
    return {
        "f_mem": share,
        "f_mem_low": low,
        "f_mem_high": high,
        "f_mem_count": N_GENERATED,
        "f_mem_control": 0.001,
        "f_mem_control_low": 0.0,
        "f_mem_control_high": 0.0055,
        "f_mem_control_count": 1000,
        "n_generated": N_GENERATED,
        "step": upto,
    }


def run_view(experiment: str, index: int, n: int, *, step: int, state: RunState, age: float = 0.5, reason: str = "") -> RunView:
    """A run as it stands at a step."""
    return RunView(
        id=f"{experiment}r{index}",
        experiment_id=experiment,
        index=index,
        label=f"n_train={n}",
        params={"n_train": n},
        n_train=n,
        batch_size=64,
        width=16,
        state=state,
        desired=DesiredState.RUN,
        step=step,
        steps=BUDGETS[n],
        seconds=step / 22,
        steps_per_second=22.0 if state is RunState.RUNNING else None,
        reason=reason,
        epoch=1,
        seq=step,
        worker="laptop" if state is RunState.RUNNING else None,
        updated_at=T0 + 100 - age if step else None,
        onsets=onsets(n, step) if step >= 5 else {},
        markers=markers(n, step) if step >= 5 else {},
        final=final(n, step) if step >= 5 else {},
    )


FIT = PowerLawFit(
    exponent=1.06,
    low=1.01,
    high=1.12,
    points=3,
    censored=0,
    seeds=1,
    prefactor=12.0,
    note="sampling only, run-to-run spread not included (one seed)",
)


def experiment_view(
    identifier: str,
    name: str,
    runs: tuple[RunView, ...],
    *,
    state: RunState,
    fits: dict[str, PowerLawFit] | None = None,
    server_time: float = T0 + 100,
) -> ExperimentView:
    """An experiment of these runs."""
    return ExperimentView(
        id=identifier,
        name=name,
        summary="",
        state=state,
        created_at=T0,
        code_version="0.1.0",
        sweep=sweep(name),
        runs=runs,
        fits=fits or {},
        server_time=server_time,
    )


def finished(identifier: str = "demo") -> ExperimentView:
    """All three runs finished, both onsets reached in each."""
    runs = tuple(run_view(identifier, i, n, step=BUDGETS[n], state=RunState.FINISHED) for i, n in enumerate(BUDGETS))
    return experiment_view(identifier, "digits-demo", runs, state=RunState.FINISHED, fits={"tau_mem_vs_n": FIT})


def live(identifier: str = "live", *, step: int = 700, server_time: float = T0 + 100) -> ExperimentView:
    """Runs under way; shorter ones finish first."""
    runs = []
    for i, n in enumerate(BUDGETS):
        done = min(step, BUDGETS[n])
        runs.append(run_view(identifier, i, n, step=done, state=RunState.FINISHED if done == BUDGETS[n] else RunState.RUNNING))
    over = all(run.state is RunState.FINISHED for run in runs)
    state = RunState.FINISHED if over else RunState.RUNNING
    return experiment_view(
        identifier, "digits, live", tuple(runs), state=state, server_time=server_time, fits={"tau_mem_vs_n": FIT} if over else None
    )


def paused(view: ExperimentView) -> ExperimentView:
    """The same experiment, paused by its owner."""
    change = {"state": RunState.PAUSED, "desired": DesiredState.PAUSE, "worker": None, "steps_per_second": None}
    runs = tuple(run if run.state is RunState.FINISHED else run.model_copy(update=change) for run in view.runs)
    return view.model_copy(update={"runs": runs, "state": RunState.PAUSED})


def failed(identifier: str = "failed") -> ExperimentView:
    """One run failed, its data kept."""
    runs = (
        run_view(identifier, 0, 16, step=450, state=RunState.FINISHED),
        run_view(
            identifier,
            1,
            32,
            step=640,
            state=RunState.FAILED,
            reason="The loss is not a number at τ = 640. Use a lower learning rate, e.g. 0.001.",
        ),
    )
    return experiment_view(identifier, "digits, lr 0.02", runs, state=RunState.FAILED)


def stale(identifier: str = "stale") -> ExperimentView:
    """A worker has fallen silent."""
    runs = (
        run_view(identifier, 0, 16, step=450, state=RunState.FINISHED, age=300),
        run_view(identifier, 1, 32, step=300, state=RunState.RUNNING, age=240),
    )
    return experiment_view(identifier, "digits, silent worker", runs, state=RunState.RUNNING)


def queued(identifier: str = "empty") -> ExperimentView:
    """Nothing has started."""
    runs = tuple(run_view(identifier, i, n, step=0, state=RunState.QUEUED) for i, n in enumerate(BUDGETS))
    return experiment_view(identifier, "digits, waiting", runs, state=RunState.QUEUED)


def never_good(identifier: str = "never") -> ExperimentView:
    """Finished, but no onset was reached in one run."""
    lost = run_view(identifier, 0, 16, step=450, state=RunState.FINISHED)
    nothing = {
        "tau_gen": Onset(
            value=None,
            low=300,
            high=None,
            status=OnsetStatus.CENSORED,
            metric="loss_held_out@100",
            level=0.55,
            reason="quality never reached by 450",
        ),
        "tau_mem": not_by(450, "f_mem", 0.25),
    }
    runs = (lost.model_copy(update={"onsets": nothing}), run_view(identifier, 1, 64, step=2400, state=RunState.FINISHED))
    return experiment_view(identifier, "digits, never good", runs, state=RunState.FINISHED)


def deletion_preview() -> DeletionPreview:
    """What deleting the finished experiment would remove."""
    return DeletionPreview(runs=3, points=1240, checkpoints=45, samples=45, files=140, n_bytes=48_200_000, shared_files=2, allowed=True)


def curves_of(experiment: ExperimentView) -> Curves:
    """The curves that belong to an experiment."""
    runs = {run.id: run_curves(run.n_train or 16, run.step) for run in experiment.runs if run.step >= 5}
    return Curves(
        experiment_id=experiment.id,
        cursor=str(max((run.step for run in experiment.runs), default=0)),
        metrics=infos() if runs else {},
        runs=runs,
    )


def curves_csv(experiment: ExperimentView, metrics: list[str]) -> str:
    """The points of some metrics in the API's columns."""
    lines = ["n,run,seed,metric,tau,value,low,high,count,reason"]
    found = curves_of(experiment).runs
    for run in experiment.runs:
        for metric in sorted(set(metrics) & set(found.get(run.id, {}))):
            item = found[run.id][metric]
            for row in zip(item.step, item.value, item.low, item.high, item.count, item.reason, strict=True):
                lines.append(",".join("" if cell is None else str(cell) for cell in (run.n_train, run.id, 4, metric, *row)))
    return "\n".join(lines)
