"""The launch page's pieces: the sweep as YAML and as a command, lines of faults, the grid of runs, cards and durations."""

import re
import shlex
from typing import Any

import pytest

from frontend.draft import Draft
from frontend.form.document import YamlError, as_command, as_yaml, line_of, read_yaml
from frontend.form.service import service_options
from frontend.launch_source import Source, source_of
from frontend.markup.launch import launch_cards, plan_summary
from frontend.theme import DARK, LIGHT, ink_on, n_colours
from frontend.words import clock, rough
from tauscope.cli.inputs import parse_settings
from tauscope.contracts.experiments import Plan, PlannedRun, PresetView
from tauscope.contracts.launching import Estimate, KindView
from tauscope.contracts.storage import size_words
from tauscope.specs import apply_settings, load_preset, parse_sweep
from tests.frontend import fake_world as world

DEMO = load_preset("digits-demo").sweep


def plan_of(estimate: bool = True, **settings: Any) -> Plan:
    sweep = apply_settings(DEMO, settings)
    runs = sweep.resolve()
    planned = tuple(
        PlannedRun(index=run.index, label=run.label, params=run.params, spec=run.spec.model_dump(mode="json"), cost=run.spec.cost())
        for run in runs
    )
    seconds = tuple(60.0 * (run.index + 1) for run in runs)
    lanes = (tuple(run.index for run in runs),)
    expected = Estimate(seconds=sum(seconds), low=300, high=500, runs=seconds, slots=lanes, past_runs=3, source="3 earlier runs")
    note = "" if estimate else "unknown: nothing of this kind was finished here yet"
    return Plan(sweep=sweep.model_dump(mode="json"), runs=planned, estimate=expected if estimate else None, estimate_note=note)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"seed": 7},
        {"name": "it's mine"},
        {"n_train": [8, 16], "overrides": {"steps": {"by": "n_train", "values": {"8": 100, "16": 200}}}},
        {"base.optimizer": {"name": "sgd", "lr": 1e-5, "momentum": 0.5}, "ema": None},
        {"seed": [1, 2, 3], "combine": "zip"},
    ],
)
def test_the_copied_command_launches_exactly_the_sweep_of_the_form(settings: dict[str, Any]) -> None:
    changed = apply_settings(DEMO, settings).model_dump(mode="json")
    command = shlex.split(as_command(changed, preset="digits-demo", origin=DEMO.model_dump(mode="json")))
    assert command[:3] == ["tauscope", "launch", "digits-demo"]
    again = apply_settings(DEMO, parse_settings(command[4::2]))
    assert again.model_dump(mode="json") == changed


def test_a_sweep_that_is_no_preset_is_launched_from_its_yaml() -> None:
    assert as_command(DEMO.model_dump(), preset=None, origin={}) == "tauscope launch sweep.yaml"


def test_the_copied_command_names_priority_and_queue_where_they_are_not_the_default() -> None:
    draft = Draft("preset:digits-demo", {}, "", {}, priority=5, queue="gpu")
    sweep = DEMO.model_dump(mode="json")
    command = as_command(sweep, preset="digits-demo", origin=sweep, further=service_options(draft))
    assert command == "tauscope launch digits-demo --priority 5 --queue gpu"
    assert service_options(Draft("", {}, "", {})) == []


def test_yaml_is_read_back_as_the_same_sweep() -> None:
    assert parse_sweep(read_yaml(as_yaml(DEMO.model_dump(mode="json")))) == DEMO


def test_yaml_that_is_none_names_its_line() -> None:
    with pytest.raises(YamlError) as caught:
        read_yaml("name: x\nbase:\n  steps: [1, 2\nseed: 3\n")
    assert caught.value.error.path == "line 4"
    with pytest.raises(YamlError, match="not a mapping"):
        read_yaml("just words")


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("base.network.base_width", "  network:"),
        ("run(n_train=16).dataset.n_train", "  dataset:"),
        ("overrides.steps.values", "  steps: {by"),
        ("axes.n_train", "  n_train: ["),
        ("base.steps", "  steps: 2400"),
    ],
)
def test_a_fault_is_found_in_the_line_that_holds_its_field(path: str, start: str) -> None:
    text = load_preset("digits-demo").text
    line = line_of(text, path)
    assert line is not None
    assert text.splitlines()[line - 1].startswith(start)
    assert line_of(text, "no.such.thing") is None


def test_the_grid_has_the_first_axis_down_and_the_second_across() -> None:
    summary = plan_summary(plan_of(n_train=[16, 32, 64], seed=[4, 5]))
    assert re.findall(r"<th>(.*?)</th>", summary) == ["n", "steps", "seed 4", "seed 5", "each"]
    assert summary.count("<tr>") == 4
    assert "6 runs, about 21 min" in summary
    assert "5 min 00 s to 8 min 20 s on 1 slot" in summary
    assert "slot 1: 16, 16, 32, 32, 64, 64" in summary


def test_many_values_of_the_second_axis_become_one_bar_and_a_number() -> None:
    summary = plan_summary(plan_of(n_train=[16, 32, 64], seed=list(range(9))))
    assert "work, 9 values of seed" in summary
    assert summary.count("×9") == 3


def test_the_colours_of_a_plan_follow_the_viewers_theme_by_themselves() -> None:
    summary = plan_summary(plan_of(n_train=[16, 32, 64], seed=[4]))
    for light, dark in zip(n_colours(3, LIGHT), n_colours(3, DARK), strict=True):
        assert f"background:light-dark({light},{dark});color:light-dark({ink_on(light)},{ink_on(dark)})" in summary


def test_zipped_axes_are_one_row_a_run() -> None:
    summary = plan_summary(plan_of(n_train=[16, 32, 64], seed=[1, 2, 3], combine="zip"))
    assert re.findall(r"<th>(.*?)</th>", summary) == ["n", "steps", "work", "each"]


def test_an_unknown_duration_is_said_and_never_made_up() -> None:
    summary = plan_summary(plan_of(estimate=False))
    assert "Duration unknown: nothing of this kind was finished here yet." in summary
    assert "about" not in summary
    assert "tau-lane" not in summary


def test_a_card_shows_the_earlier_result_its_duration_or_what_is_lacking() -> None:
    presets = (
        PresetView(name="digits-demo", summary="s", yaml="", n_runs=3, kind="image_ddpm", measured="demo", measured_seconds=130),
        PresetView(name="celeba-paper", summary="s", yaml="", n_runs=9, kind="image_ddpm", requirements=("a GPU", "CelebA")),
    )
    kinds = (
        KindView(name="image_ddpm", title="image ddpm", description="", json_schema={}, aliases={}, defaults=None),
        KindView(name="other", title="other", description="what it is", json_schema={}, aliases={}, defaults=None),
    )
    cards = launch_cards(presets, kinds, {"digits-demo": world.finished()}, Source("preset", "digits-demo"))
    assert "measured here" in cards
    assert "2 min 10 s" in cards
    assert cards.count("<svg") == 2, "one rail and one warning"
    assert "lacks 2 requirements" in cards
    assert 'title="a GPU; CelebA"' in cards
    assert 'data-choose="kind:other"' in cards, "a kind that no preset shows can be started from its defaults"
    assert 'data-choose="kind:image_ddpm"' not in cards


def test_what_begins_from_an_experiment_has_its_fields_next_and_presets_folded_away() -> None:
    presets = (PresetView(name="digits-demo", summary="s", yaml="", n_runs=3, kind="image_ddpm"),)
    cards = launch_cards(presets, (), {}, Source("grow", "e1"))
    own, _, others = cards.partition("<details")
    assert 'href="/experiment?id=e1"' in own
    assert "data-choose" not in own
    assert 'data-choose="preset:digits-demo"' in others.partition("</details>")[0]


def test_the_address_says_where_a_launch_starts_from() -> None:
    presets = [PresetView(name=name, summary="", yaml="", n_runs=1) for name in ("digits-ci", "digits-demo")]
    assert source_of({}, presets, ()).key == "preset:digits-demo"
    assert source_of({"from": "e1", "preset": "digits-ci"}, presets, ()).key == "from:e1"
    assert source_of({"fork": "r1"}, presets, ()).key == "fork:r1"
    gone = source_of({"preset": "gone"}, presets, ())
    assert gone.key == "preset:digits-ci"
    assert gone.note == "There is no preset gone; this is digits-ci. There are digits-ci, digits-demo."


def test_rough_spans_clocks_and_sizes_are_written_for_people() -> None:
    assert [rough(seconds) for seconds in (0.2, 45, 856, 4 * 3600, 5 * 86400)] == ["1 s", "45 s", "14 min", "4 h", "5 days"]
    assert [clock(seconds) for seconds in (31, 331, 7531, 242_400)] == ["0:31", "5:31", "2:05:31", "2.8 days"]
    assert [size_words(n) for n in (1200, 48_200_000, 3_100_000_000)] == ["1.2 kB", "48.2 MB", "3.1 GB"]
