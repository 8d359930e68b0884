"""A sweep without services: a folder that verifies, survives interruption and tampering is found."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tauscope.analysis.retention import reasons_to_keep
from tauscope.analysis.stopping import verdict
from tauscope.analysis.summary import summarize_points
from tauscope.execution.events import Failed, SegmentEnded
from tauscope.execution.local_sweep import LocalSweep
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.results.folder import read_measurements, read_summary, run_name
from tauscope.results.verify import verify_folder
from tauscope.specs import SpecError, SweepSpec, apply_settings, load_preset


def tiny(**settings: object) -> SweepSpec:
    return apply_settings(
        load_preset("digits-ci").sweep,
        {
            "n_train": [8, 16],
            "steps": 24,
            "n_generated": 32,
            "measurement.loss_pairs": 32,
            "measurement.schedule": {"kind": "explicit", "at": [8, 16, 24]},
            "network.base_width": 8,
            **settings,
        },
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep") / "out"
    sweep = LocalSweep(tiny(), folder)
    sweep.execute(processes=2)
    sweep.finish()
    return folder


def test_the_folder_has_the_documented_layout(finished: Path) -> None:
    run = finished / "runs" / "00-n_train=8"
    with np.load(run / "train.npz") as train, np.load(run / "samples/24.npz") as drawn:
        assert train["images"].shape == (8, 1, 8, 8)
        assert train["images"].dtype == np.float32
        assert 0 <= train["images"].min() <= train["images"].max() <= 1
        assert drawn["samples"].shape == (32, 1, 8, 8)
        assert drawn["neighbours"].shape == drawn["distances"].shape == (32, 2)
    with np.load(run / "held_out.npz") as held_out:
        assert held_out["images"].shape == (1000, 1, 8, 8)
    assert (run / "checkpoints/24.safetensors").is_file()
    spec = json.loads((finished / "spec.json").read_text())
    assert spec["code_version"]
    assert [entry["seed"] for entry in spec["runs"]] == [4, 4]


def test_the_summary_has_the_documented_fields(finished: Path) -> None:
    document = json.loads((finished / "summary.json").read_text())
    run = document["runs"][0]
    assert run["params"] == {"n_train": 8}
    assert set(run["onsets"]["tau_mem"]) >= {"value", "low", "high", "status", "level"}
    assert set(run["final"]) >= {"f_mem", "f_mem_low", "f_mem_high", "f_mem_control", "n_generated"}
    assert set(document["fits"]["tau_mem_vs_n"]) >= {"exponent", "low", "high", "points", "note"}


def test_verify_agrees_with_an_untouched_folder(finished: Path) -> None:
    result = verify_folder(finished)
    assert result.findings == ()
    assert result.n_samples == 2 * 3 * 32


def test_verify_finds_a_changed_sample_a_changed_number_and_a_changed_onset(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", finished, copy], check=True)
    file = copy / "runs/00-n_train=8/samples/24.npz"
    with np.load(file) as archive, np.load(copy / "runs/00-n_train=8/train.npz") as train:
        arrays = dict(archive)
        arrays["samples"] = np.repeat(train["images"], 4, axis=0)  # All copies now.
    np.savez(file, **arrays)
    summary = json.loads((copy / "summary.json").read_text())
    summary["runs"][1]["onsets"]["tau_mem"]["low"] = 1.0
    (copy / "summary.json").write_text(json.dumps(summary))
    texts = " / ".join(finding.what for finding in verify_folder(copy).findings)
    assert "f_mem at step 24" in texts
    assert "neighbours" in texts
    assert "tau_mem is recorded" in texts


def test_a_folder_with_results_is_not_overwritten(finished: Path) -> None:
    with pytest.raises(SpecError, match="--resume"):
        LocalSweep(tiny(), finished)


def test_another_spec_cannot_resume_a_folder(finished: Path) -> None:
    with pytest.raises(SpecError, match="another spec"):
        LocalSweep(tiny(seed=5), finished, resume=True)


def test_resuming_a_finished_sweep_changes_nothing(finished: Path) -> None:
    before = read_summary(finished)
    sweep = LocalSweep(tiny(), finished, resume=True)
    sweep.execute(processes=2)
    assert sweep.finish() == before


def test_ctrl_c_checkpoints_and_resume_gives_the_same_curves(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tauscope.execution.local_sweep import LocalSweep
from tauscope.specs import SweepSpec
import json
sweep = LocalSweep(SweepSpec.model_validate(json.loads(sys.argv[1])), Path(sys.argv[2]))
try:
    sweep.execute(processes=2)
except KeyboardInterrupt:
    sys.exit(130)
"""
    process = subprocess.Popen([sys.executable, "-c", script, tiny().model_dump_json(), str(out)])
    deadline = time.monotonic() + 60
    while not list(out.glob("runs/*/run.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (0, 130)  # 0 if it was quicker than the signal.
    resumed = LocalSweep(tiny(), out, resume=True)
    resumed.execute(processes=1)
    resumed.finish()
    assert read_measurements(out) == read_measurements(finished)


def test_an_orphaned_child_exits_at_once(tmp_path: Path) -> None:
    child = TrainerProcess()
    child.run_segment(tiny(steps=100_000).resolve()[0].spec, tmp_path)
    while (event := child.next_event(30)) is not None and event.event != "dataset":
        pass
    child.close(timeout=60)
    assert child._process.returncode == 0, "it trained on until it was killed"


def test_a_killed_child_is_reported_not_waited_for(tmp_path: Path) -> None:
    child = TrainerProcess()
    child.run_segment(tiny(steps=100_000).resolve()[0].spec, tmp_path)
    child.kill()
    while not isinstance(event := child.next_event(10), Failed):
        assert event is not None
    assert event.code == "trainer_died"
    assert "SIGKILL" in event.message


def test_a_segment_ends_when_its_time_is_up_and_the_next_goes_on_in_the_same_child(tmp_path: Path) -> None:
    child, spec = TrainerProcess(), tiny(steps=400).resolve()[0].spec
    steps = []
    for _ in range(2):
        checkpoint = tmp_path / "checkpoints" / f"{steps[-1]}.json" if steps else None
        child.run_segment(spec, tmp_path, checkpoint=checkpoint, max_seconds=0.3)
        while not isinstance(event := child.next_event(30), SegmentEnded):
            assert not isinstance(event, Failed), event
        steps.append(event.step)
        assert not event.finished
    child.close()
    assert 0 < steps[0] < steps[1]


# It says stop at once: at 16, since a loss is hardly ever told from that 8 steps before, and any gap of the losses warns.
EAGER = {"name": "window", "patience": 1, "gap": 0.0, "confirmations": 1}


def test_a_policy_stops_runs_and_says_why_and_without_it_they_go_on_to_the_same_curves(finished: Path, tmp_path: Path) -> None:
    wanted = [verdict(run.spec, read_measurements(finished)[run_name(run.index, run.label)]) for run in tiny(stopping=EAGER).resolve()]
    assert any(found is not None and found.step < 24 for found in wanted)
    stopped = LocalSweep(tiny(stopping=EAGER), tmp_path / "out")
    stopped.execute(processes=1)
    ended = [(run.state, run.reason) for run in stopped.finish().runs]
    assert ended == [("stopped", found.reason) if found and found.step < 24 else ("finished", "") for found in wanted]
    again = LocalSweep(tiny(stopping=EAGER), tmp_path / "out", resume=True)
    again.execute(processes=1)
    assert [(run.state, run.reason) for run in again.finish().runs] == ended
    without = LocalSweep(tiny(), tmp_path / "out", resume=True)
    without.execute(processes=1)
    assert [run.state for run in without.finish().runs] == ["finished", "finished"]
    assert read_measurements(tmp_path / "out") == read_measurements(finished)


def test_a_sweep_that_asks_for_it_keeps_only_checkpoints_worth_their_space_and_all_samples(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", finished, copy], check=True)
    sweep = LocalSweep(tiny(retention="pruned"), copy, resume=True)
    before, after = read_summary(copy), sweep.finish()
    assert before == after
    for run in sweep.runs:
        onsets, _ = summarize_points(run.plan.spec, run.points)
        wanted = {step for step, why in reasons_to_keep((8, 16, 24), run.points, onsets).items() if why}
        assert {int(file.stem) for file in (run.folder / "checkpoints").iterdir()} == wanted
        assert len(list((run.folder / "samples").iterdir())) == 3
    assert verify_folder(copy).findings == ()


def test_a_folder_from_before_policies_can_be_resumed(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", finished, copy], check=True)
    document = json.loads((copy / "spec.json").read_text())
    for entry in document["runs"]:
        del entry["spec"]["stopping"], entry["spec"]["retention"]
    (copy / "spec.json").write_text(json.dumps(document))
    assert [run.state for run in LocalSweep(tiny(), copy, resume=True).runs] == ["finished", "finished"]
