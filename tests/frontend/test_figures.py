"""Every state that the dashboard can be in also has its figures for a paper, and a row to take them away."""

import pytest

from frontend.charts.figure import ViewOptions
from frontend.markup.downloads import charts_of, downloads
from tauscope.figures.render import render
from tests.frontend.fake_api import FakeApi
from tests.frontend.fake_figures import data_of


@pytest.mark.parametrize("name", ["empty", "one", "never", "diverged", "failed", "forty"])
def test_every_state_of_an_experiment_has_its_figures(name: str) -> None:
    api = FakeApi()
    data = data_of(api.experiment(name), api.curves(name, 120))
    assert render(data, 2, "svg").startswith(b"<?xml")
    assert render(data, 3, "svg").startswith(b"<?xml")


def test_the_downloads_offer_both_figures_in_both_widths_and_their_numbers() -> None:
    api = FakeApi()
    experiment, curves = api.experiment("demo"), api.curves("demo", None)
    words = downloads(experiment, charts_of(experiment, curves, ViewOptions()))
    for number in (2, 3):
        assert f'href="/api/v1/experiments/demo/figures/{number}.zip?width=175"' in words
        for width in (85, 175):
            assert f'aria-label="Figure {number} as PDF, {width} mm wide"' in words
