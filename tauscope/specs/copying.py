"""Which samples count as copies: the criteria that are measured side by side, by the name of their share."""

from tauscope.specs.measurement import GAP_THRESHOLD

GAP_THRESHOLDS = {"f_mem": GAP_THRESHOLD, "f_mem_quarter": 1 / 4, "f_mem_half": 1 / 2}
"""A sample is a copy if its gap ratio d1/d2 is below (arXiv:2505.17638 takes 1/3, and compares with 1/4 and 1/2)."""

FEATURE_THRESHOLDS = {name.replace("f_mem", "copies"): threshold for name, threshold in GAP_THRESHOLDS.items()}
"""The same criteria on the features of a network, where they go by other names: a ratio of other distances is another statistic."""

ADAPTIVE = "f_mem_adaptive"
"""A sample is a copy if d1 is below half the mean distance of the 50 nearest training images (Carlini et al. 2023, arXiv:2301.13188)."""
ADAPTIVE_NEIGHBOURS = 50
ADAPTIVE_SCALE = 0.5


def control_of(name: str) -> str:
    """The name of the same share among real held-out images."""
    return f"{name}_control"


def copy_criteria(n_train: int) -> tuple[str, ...]:
    """The shares that a run with so many training images measures, f_mem first."""
    return (*GAP_THRESHOLDS, ADAPTIVE) if n_train >= ADAPTIVE_NEIGHBOURS else tuple(GAP_THRESHOLDS)
