"""How the probes are named, defined and drawn."""

from tauscope.contracts.points import MetricInfo
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.measurement import ProbesSpec

_ATTACKS = {
    "loss": ("loss attack", "- |eps_hat - eps|^2 / pixels on one fixed noise an image"),
    "pia": ("PIA", "- |eps_0 - eps_hat(x_t)|_4, x_t noised with eps_0, the network's answer at the image (arXiv:2305.18355)"),
    "sima": ("SimA", "- |eps_hat(x_0)|_4 at the image itself (arXiv:2509.25003)"),
}


def probe_infos(spec: ImageDdpmSpec, alpha_bar: dict[int, float]) -> list[MetricInfo]:
    """Every probe beside the loss gap that a run of this spec measures; ``alpha_bar`` at both its indices."""
    probes = spec.measurement.probes
    if probes is None:
        return []
    found = [info for name in _ATTACKS for info in _attack(name, spec, probes, alpha_bar)]
    return [*found, _projection(spec, probes, alpha_bar[probes.index]), _stable_rank()]


def _attack(name: str, spec: ImageDdpmSpec, probes: ProbesSpec, alpha_bar: dict[int, float]) -> list[MetricInfo]:
    label, score = _ATTACKS[name]
    index = probes.small_index if name == "sima" else probes.index
    members = min(spec.dataset.n_train, probes.images)
    where = f"at index {index} (alpha_bar {alpha_bar[index]:.3f})"
    compared = f"Scores {score}, of {members:,} training images against {probes.images:,} held-out ones, {where}"
    place = {"role": "warning", "index": index, "alpha_bar": alpha_bar[index]}
    auc = {
        "name": f"mia_{name}_auc@{index}",
        "label": f"{label}, AUC {where}",
        "unit": "chance that a training image scores higher",
        "definition": f"{compared}: the area under the ROC curve; 1/2 is guessing. 95 % score interval (Newcombe 2006).",
    }
    tpr = {
        "name": f"mia_{name}_tpr@{index}",
        "label": f"{label}, hits at 1 % false positives {where}",
        "unit": "share of training images",
        "definition": f"{compared}: the share of training images above a score that 1 % of the held-out ones exceed; "
        "95 % Clopper-Pearson interval, given that score.",
    }
    return [MetricInfo.model_validate(words | place) for words in (auc, tpr)]


def _projection(spec: ImageDdpmSpec, probes: ProbesSpec, alpha_bar: float) -> MetricInfo:
    half = min(spec.dataset.n_train, spec.dataset.n_held_out - probes.images)
    return MetricInfo(
        name=f"alpha_ho@{probes.index}",
        label=f"projection order parameter alpha_ho at index {probes.index} (alpha_bar {alpha_bar:.3f})",
        unit="0 knows neither set, 1/2 has memorized the training images",
        role="warning",
        definition=(
            f"sum <s - s_bar, d> / sum |d|^2 with s the network's score, s_bar and d mean and difference of the empirical scores of "
            f"{half:,} training and {half:,} held-out images, over {probes.points:,} points noised from each at index {probes.index}; "
            "95 % jackknife interval over images."
        ),
        index=probes.index,
        alpha_bar=alpha_bar,
    )


def _stable_rank() -> MetricInfo:
    return MetricInfo(
        name="stable_rank",
        label="stable rank of the weights",
        unit="directions, mean over matrices",
        role="warning",
        definition=(
            "Mean of |W|_F^2 / |W|_2^2 over all weight matrices and kernels of the averaged network. Computed, not sampled: it has no "
            "interval. It falls as training goes on, copying or not."
        ),
    )
