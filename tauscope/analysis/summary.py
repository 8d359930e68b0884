"""What a run's points amount to: its onsets and the last value of every metric."""

from collections.abc import Sequence

from tauscope.analysis.averages import onsets_of_averages
from tauscope.analysis.markers import tau_split, tau_test
from tauscope.analysis.onsets import tau_gen, tau_mem
from tauscope.analysis.scaling import fit_sweep
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.specs import DenoiserSpec, ExperimentSpec

# Metrics of many parts each: a list of runs carries every final value, and would carry hundreds for each run. Their points have them.
# And what theory says, which is no value of training.
IN_PARTS = ("error_", "grid_", "mode_", "rho_", "theory_")
Final = dict[str, float | int | None]

NOTHING_TRAINED = "nothing is trained"


def summarize_points(spec: ExperimentSpec, points: Sequence[Point]) -> tuple[dict[str, Onset], Final]:
    """Onsets by the definitions in the spec, and the final values as ``RunSummary`` describes them."""
    levels = spec.onsets
    onsets = {
        "tau_gen": tau_gen(points, levels.tau_gen.metric, levels.tau_gen.level),
        "tau_mem": tau_mem(points, levels.tau_mem.level, levels.tau_mem.metric),
    }
    if levels.tau_mem.metric == "f_mem" and not spec.sample_steps:
        onsets["tau_mem"] = onsets["tau_mem"].model_copy(update={"reason": _no_samples(spec)})
    if not spec.quality_metrics:
        onsets = {name: onset.model_copy(update={"reason": NOTHING_TRAINED}) for name, onset in onsets.items()}
    return onsets, _final(spec, points)


def find_markers(spec: ExperimentSpec, points: Sequence[Point]) -> dict[str, Onset]:
    """Times beside the onsets, by name: of the least held-out loss, of the best agreement with a twin; onsets of further averages."""
    markers = {"tau_test": tau_test(points, spec.held_out_loss), **onsets_of_averages(spec, points)}
    return markers if spec.comparison_index is None else markers | {"tau_split": tau_split(points, cosine_metric(spec))}


def _no_samples(spec: ExperimentSpec) -> str:
    only = spec.only_index if isinstance(spec, DenoiserSpec) else None
    return "no samples" if only is None else f"no samples: trained at diffusion index {only} alone"


def _final(spec: ExperimentSpec, points: Sequence[Point]) -> Final:
    last: dict[str, Point] = {}
    for point in points:
        if point.metric.startswith(IN_PARTS):
            continue
        if point.metric not in last or point.step >= last[point.metric].step:
            last[point.metric] = point
    final: Final = {"step": max((point.step for point in points), default=0), "n_generated": spec.n_generated}
    for name, point in sorted(last.items()):
        final[name] = point.value
        if point.low is not None or point.high is not None:
            final[f"{name}_low"], final[f"{name}_high"] = point.low, point.high
        final[f"{name}_count"] = point.count
    return final


def summarize_experiment(name: str, code_version: str, runs: Sequence[RunSummary]) -> ExperimentSummary:
    """The runs with the laws fitted over those that did not fail."""
    return ExperimentSummary(
        experiment=name, code_version=code_version, runs=tuple(runs), fits=fit_sweep([run for run in runs if run.state != "failed"])
    )
