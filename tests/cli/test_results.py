"""``make results``: what is run, what is not run again, and what is written between the markers of a page."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.cli.results_page import ENDS, NOT_RUN, ONSETS, read_section, replace_section, section, section_names
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.results.machine import read_sittings
from tauscope.specs import SpecError, SweepSpec, apply_settings, load_preset, preset_names

PAGE = Path(__file__).parents[2] / "docs/results.md"
TOY: dict[str, object] = {
    "batch_size": 8,
    "dataset.n_held_out": 100,
    "network": {"base_width": 8, "multipliers": [1], "blocks": 1, "attention": [False]},
    "n_generated": 32,
    "measurement.sampler.steps": 16,
    "measurement.loss_pairs": 32,
    "measurement.schedule": {"kind": "explicit", "at": [5, 10, 400]},
}


class Toys:
    """Two sweeps of seconds, as YAML files beside a page that has a place for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page = folder / "page.md"
        self.page.write_text("# Mine\n\n" + "".join(f"Before {name}.\n\n{_place(name)}\nAfter.\n" for name in ("one", "two")))
        self.write("one", {"n_train": [8, 9], "steps": 10})
        filtered = {"name": "filter", "changes": {"sampler.low_pass": {"cutoff": 2.0}}, "steps": [10]}
        self.write("two", {"n_train": [8], "steps": 10, "again": [filtered]})

    def write(self, name: str, settings: dict[str, object]) -> None:
        sweep = apply_settings(load_preset("digits-ci").sweep, TOY | settings | {"name": name})
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(sweep.model_dump(mode="json")))

    def show(self, *names: str) -> None:
        result = CliRunner().invoke(
            app, ["results", *(str(self.folder / f"{name}.yaml") for name in names or ("one", "two")), *self.options]
        )
        assert result.exit_code == 0, result.output

    @property
    def options(self) -> list[str]:
        places = {"--folder": "out", "--page": "page.md", "--images": "images"}
        return [part for option, path in places.items() for part in (option, str(self.folder / path))] + ["--processes", "1"]


def _place(name: str) -> str:
    return f"<!-- results {name} -->\n{NOT_RUN.format(name=name)}\n<!-- end of results -->\n"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Toys:
    """Both toys, run and shown."""
    toys = Toys(tmp_path_factory.mktemp("shown"))
    toys.show()
    return toys


def test_a_page_gets_the_tables_the_figures_and_the_machine_and_keeps_its_own_words(shown: Toys) -> None:
    page = shown.page.read_text()
    one = read_section(page, "one")
    _check_form(one)
    assert [row.split(" | ")[0] for row in _rows(one)] == ["| 8", "| 9"]
    assert all("| 10 | finished |" in row for row in _rows(one))
    (sitting,) = read_sittings(shown.folder / "out/one")
    assert sitting.cpu in one and sitting.began in one and sitting.allocator in one
    assert sitting.machine_code != "" and ("no machine code of ours" if sitting.machine_code == "none" else sitting.machine_code) in one
    assert page.startswith("# Mine\n\nBefore one.\n") and page.count("After.") == 2
    pictures = re.findall(r"\]\((.+?)\)", page)
    assert pictures == ["images/one-figure-2.svg", "images/one-figure-3.svg"]
    assert all((shown.folder / picture).read_text().startswith("<?xml") for picture in pictures)


def test_a_sweep_that_measures_again_gets_its_settings_as_one_table(shown: Toys) -> None:
    two = read_section(shown.page.read_text(), "two")
    _check_form(two)
    assert [row.split(" | ")[0] for row in _rows(two)] == ["| as it is", "| filter (at sampling)"]
    assert two.count("of 32 each") == 2 and "All at step 10, 95 % intervals." in two


def test_what_is_finished_is_shown_again_without_being_run_or_restamped(shown: Toys) -> None:
    page, files = shown.page.read_text(), _times(shown.folder / "out")
    shown.page.write_text(replace_section(page, "two", "lost"))
    shown.show()
    assert shown.page.read_text() == page
    assert _times(shown.folder / "out") == files


def test_a_killed_command_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    toys = Toys(tmp_path)
    toys.write("two", {"n_train": [8], "steps": 400})
    command = [sys.executable, "-m", "tauscope", "results", str(tmp_path / "two.yaml"), *toys.options]
    process = subprocess.Popen(command, start_new_session=True, cwd=PAGE.parents[1])
    run = tmp_path / "out/two/runs/00-n_train=8"
    _wait_until(lambda: (run / "run.json").is_file() and '"10.json"' in (run / "run.json").read_text())
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    assert NOT_RUN.format(name="two") in toys.page.read_text()
    made = (run / "checkpoints/10.json").stat().st_mtime_ns
    toys.show("two")
    (row,) = _rows(read_section(toys.page.read_text(), "two"))
    assert "| 400 | finished |" in row
    assert (run / "checkpoints/10.json").stat().st_mtime_ns == made, "what the checkpoint holds is not computed again"


def test_a_sweep_without_a_place_is_refused_before_anything_runs(tmp_path: Path) -> None:
    toys = Toys(tmp_path)
    toys.page.write_text(_place("two"))
    result = CliRunner().invoke(app, ["results", str(tmp_path / "one.yaml"), *toys.options])
    assert isinstance(result.exception, SpecError)
    assert "<!-- results one -->" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_only_the_named_place_changes() -> None:
    page = _place("a") + "between\n" + _place("ab")
    changed = replace_section(page, "a", r"new \1 text")
    assert read_section(changed, "a") == "new \\1 text\n"
    assert changed.endswith("between\n" + _place("ab"))


def test_a_row_tells_what_the_onsets_are_read_off_and_f_mem_where_it_was_measured() -> None:
    gap = {"gap_share": 0.97654, "gap_share_low": 0.9, "gap_share_high": 1.0, "gap_share_count": 4, "score_error": 2419.33, "step": 500}
    infos = {"gap_share": _info("gap_share", "memorization"), "score_error": _info("score_error", "quality")}
    text = section(_ended(3, gap), infos, (), {})
    assert "| the score_error, at the end (95 %) | the gap_share, at the end (95 %) | steps | run |" in text
    assert "| 2,419 | 0.9765 (0.9 to 1) of 4 | 500 | finished |" in text and "f_mem" not in text
    copied = {"f_mem": 0.5, "f_mem_low": 0.44, "f_mem_high": 0.56, "f_mem_count": 192, "f_mem_control": 0.001, "f_mem_control_count": 1000}
    assert "| 50.0% (44.0% to 56.0%) of 192 | 0.1% of 1,000 |" in section(_ended(1, gap | copied), infos, (), {})


def test_where_nothing_is_trained_there_is_a_row_for_each_quantity() -> None:
    text = section(_ended(1, {"l1": 0.025, "atom": 0.0018}), {name: _info(name, "distance") for name in ("l1", "atom", "rho")}, (), {})
    assert _rows(text) == ["| 0 | the l1 | 0.025 |", "| 0 | the atom | 0.0018 |"]


def test_too_many_rows_to_read_past_are_folded() -> None:
    infos = {"gap_share": _info("gap_share", "memorization"), "score_error": _info("score_error", "quality")}
    assert "<details><summary>41 runs</summary>\n\n| " in section(_ended(41, {"gap_share": 1.0}), infos, (), {})
    assert "<details>" not in section(_ended(40, {"gap_share": 1.0}), infos, (), {})


def test_the_page_of_results_has_a_place_for_every_preset_that_needs_no_gpu() -> None:
    on_cpu = [name for name in preset_names() if load_preset(name).sweep.base.device != "cuda"]
    assert sorted(section_names(PAGE.read_text())) == on_cpu


@pytest.mark.parametrize("name", section_names(PAGE.read_text()))
def test_the_committed_tables_have_the_form_that_is_written(name: str) -> None:
    text = read_section(PAGE.read_text(), name)
    if text == NOT_RUN.format(name=name) + "\n":
        return
    _check_form(text)
    if "| quantity |" not in text:
        assert len(_rows(text)) == _expected_rows(load_preset(name).sweep)
    assert not [picture for picture in re.findall(r"\]\((.+?)\)", text) if not (PAGE.parent / picture).is_file()]


def _ended(count: int, final: Mapping[str, float]) -> ExperimentSummary:
    found: dict[str, Any] = {"status": OnsetStatus.REACHED, "value": 9.0, "low": 8.0, "high": 10.0, "level": 0.5}
    onsets = {name: Onset(metric=metric, **found) for name, metric in (("tau_gen", "score_error"), ("tau_mem", "gap_share"))}
    runs = (RunSummary(id=f"{k}", params={"n": k}, state="finished", onsets=onsets, final=dict(final), seconds=1.0) for k in range(count))
    return ExperimentSummary(experiment="made", code_version="1", runs=tuple(runs), fits={})


def _info(name: str, role: Any) -> MetricInfo:
    return MetricInfo(name=name, label=f"the {name}", unit="one", role=role, definition="Made.")


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")][2:]


def _expected_rows(sweep: SweepSpec) -> int:
    """A row a run, or, where settings are compared, one for every three seeds and one for every set."""
    runs = sweep.resolve()
    return len(runs) // len(sweep.axes["seed"]) + len(sweep.again) if sweep.again else len(runs)


def _check_form(text: str) -> None:
    lines = text.splitlines()
    headings = next(line for line in lines if line.startswith("| "))
    trained = f" | {' | '.join(ONSETS)} | " in headings and headings.endswith(f", at the end (95 %) | {' | '.join(ENDS)} |")
    compared = re.fullmatch(
        r"\| setting \| n \| seeds \| tau_gen \| tau_mem \| .+ \| .+ \| memorized samples f_mem \| held-out control \|", headings
    )
    assert trained or compared or headings.endswith("| quantity | value (95 %) |")
    assert len({line.count(" | ") for line in lines if line.startswith("| ")}) == 1
    machine = re.search(
        r"^Machine: .+, \d+ cores, [\d.]+ GiB, Python 3\.\S+, PyTorch \S+, .+; 20\d\d-\d\d-\d\d\. Code .+\. Trainer processes ", text, re.M
    )
    assert machine is not None


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "nothing happened for a minute"
        time.sleep(0.02)


def _times(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
