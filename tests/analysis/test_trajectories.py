"""What one run may teach of another is stored under digests of specs; a field that came later leaves them as they were."""

import pytest

from tauscope.analysis.trajectories import configuration_of, domain_of
from tauscope.specs import ImageDdpmSpec, load_preset

# As stored by every run of these presets since forecasts were first recorded.
STORED = {"digits-demo": ("4c0dd6d9489d", "841fbcbaa233"), "celeba-paper": ("4250125efa36", "40bd217457b3")}


def preset(name: str, **data: object) -> ImageDdpmSpec:
    spec = load_preset(name).sweep.base
    return ImageDdpmSpec.model_validate(spec.model_dump() | {"dataset": spec.dataset.model_dump() | data})


@pytest.mark.parametrize("name", STORED)
def test_runs_stored_before_a_field_was_added_still_teach(name: str) -> None:
    assert (configuration_of(preset(name)), domain_of(preset(name))) == STORED[name]


def test_colour_is_another_domain_and_what_is_left_out_or_set_aside_is_not() -> None:
    grey, colour = preset("celeba-paper"), preset("celeba-paper", colour=True)
    assert configuration_of(colour) != configuration_of(grey) and domain_of(colour) != domain_of(grey)
    assert configuration_of(preset("celeba-paper", n_calibration=100, unreadable="skip")) == configuration_of(grey)
