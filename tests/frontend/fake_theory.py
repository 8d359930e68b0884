"""What theory says of the runs of ``fake_spectrum``, as digits have it."""

from tauscope.analysis.theory_infos import image_theory_infos
from tauscope.contracts.curves import Series
from tauscope.contracts.points import MetricInfo
from tauscope.specs import load_preset
from tests.frontend import fake_world as world

SPEC = load_preset("digits-spectrum").sweep.base


def infos() -> dict[str, MetricInfo]:
    """The constants of the preset."""
    return {info.name: info for info in image_theory_infos(SPEC)}


def series() -> dict[str, Series]:
    """One point each, at the first measured step."""
    made = {}
    for info in infos().values():
        value = _value(info.name, (info.index or 0) + 1)
        made[info.name] = world.series([(3, value, value * 0.94, value * 1.06, 256 if "_loss_" in info.name else 128)])
    return made


def final() -> dict[str, float | int | None]:
    """The last losses of a run, as its summary holds them."""
    known: dict[str, float | int | None] = {}
    for index in SPEC.measurement.loss_indices:
        for name, value in ((f"loss_train@{index}", 0.26), (f"loss_held_out@{index}", 0.56)):
            known |= {name: value, f"{name}_low": 0.97 * value, f"{name}_high": 1.03 * value, f"{name}_count": 512}
    return known


def _value(name: str, noise: int) -> float:
    ratio = (noise / 100) ** 1.35
    if "linear" in name:
        return 1 / (1 + 0.6 * ratio)
    if "held_out" in name:
        return 2 / ratio / (1 + (noise / 500) ** 3)
    return 0.03 / ((322 / noise) ** 9 + (noise / 322) ** 4)
