"""A resumed run is the run: the same weights and the same numbers, to the last bit."""

import json
import resource
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tauscope.contracts.points import Point
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.remeasuring import remeasured
from tauscope.training.checkpoints import CheckpointError, latest_checkpoint, save_checkpoint
from tauscope.training.trainer import DivergedError

CPU = torch.device("cpu")
MEASUREMENT: dict[str, Any] = {
    "schedule": {"kind": "explicit", "at": [4, 8, 12]},
    "n_generated": 32,
    "sampler": {"name": "ddim", "steps": 4, "eta": 0.5},
    "loss_pairs": 32,
}
ANCESTRAL: dict[str, Any] = {
    "process": {"steps": 40},
    "measurement": {**MEASUREMENT, "sampler": {"name": "ancestral"}, "loss_indices": [10]},
    "onsets": {"tau_gen": {"metric": "frechet_pca", "level": 3.0}},
}

NETWORK: dict[str, Any] = {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True], "dropout": 0.1}
LABELS: dict[str, Any] = {
    "network": {**NETWORK, "classes": "labels", "label_drop": 0.3},
    "measurement": {**MEASUREMENT, "sampler": {"name": "dpm_solver", "steps": 4, "guidance": 1.0}},
}


def spec(**changes: object) -> ImageDdpmSpec:
    return ImageDdpmSpec.model_validate(
        {
            "dataset": {"n_train": 16, "n_held_out": 64},
            "network": NETWORK,
            "batch_size": 8,
            "steps": 12,
            "measurement": MEASUREMENT,
            **changes,
        }
    )


class Notebook:
    """Keeps what a run reports; ends the segment at a given step, leaves samples to others, or breaks them off at a share."""

    def __init__(self, end_at: int | None = None, *, defers: bool = False, break_off_at: float = 2.0) -> None:
        self.points: list[Point] = []
        self.checkpoints: list[Path] = []
        self.unevaluated: list[Path] = []
        self.end_at = end_at
        self.defers = defers
        self.break_off_at = break_off_at
        self.step = 0

    def dataset(self, train: Path, held_out: Path, record: Path) -> None: ...

    def progress(self, step: int, loss: float) -> None: ...

    def defers_samples(self) -> bool:
        return self.defers

    def sampling(self, step: int, share: float) -> bool:
        return share < self.break_off_at

    def samples(self, step: int, path: Path, n_generated: int) -> None: ...

    def predictions(self, step: int, path: Path) -> None: ...

    def measured(self, step: int, points: Sequence[Point]) -> None:
        self.points += points

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        self.checkpoints.append(state)
        if unevaluated:
            self.unevaluated.append(state)

    def should_end(self) -> bool:
        self.step += 1
        return self.end_at is not None and self.step >= self.end_at


@dataclass(frozen=True)
class Whole:
    """A run that nothing interrupted; what it left is for reading only."""

    folder: Path
    notebook: Notebook
    experiment: ImageDdpmExperiment

    def copied_to(self, folder: Path) -> Path:
        """A copy of what it left, to be changed or written beside."""
        return shutil.copytree(self.folder, folder)


Uninterrupted = Callable[..., Whole]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    """Train without an interruption, once for all tests that compare with the same run."""
    known: dict[ImageDdpmSpec, Whole] = {}

    def train(**changes: object) -> Whole:
        chosen = spec(**changes)
        if chosen not in known:
            folder, notebook = tmp_path_factory.mktemp("whole"), Notebook()
            experiment = ImageDdpmExperiment(chosen, device=CPU, folder=folder)
            assert experiment.run(notebook)
            known[chosen] = Whole(folder, notebook, experiment)
        return known[chosen]

    return train


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.9}},
        {"replacement": False, "batch_size": 4},
        {"batch_size": "full", "ema": None, "preconditioning": False},
        {"dataset": {"n_train": 16, "n_held_out": 128}, "measurement": {**MEASUREMENT, "probes": {"images": 100}}},
        LABELS,
    ],
    ids=["adam", "sgd", "epochs", "full-batch", "probes", "labels"],
)
@pytest.mark.parametrize("end_at", [6, 8])
def test_a_run_ended_and_resumed_equals_an_uninterrupted_one(
    tmp_path: Path, uninterrupted: Uninterrupted, changes: dict[str, object], end_at: int
) -> None:
    whole, first, second = uninterrupted(**changes), Notebook(end_at), Notebook()
    assert not ImageDdpmExperiment(spec(**changes), device=CPU, folder=tmp_path / "parts").run(first)
    resumed = ImageDdpmExperiment(spec(**changes), device=CPU, folder=tmp_path / "parts")
    assert resumed.run(second, checkpoint=first.checkpoints[-1])
    assert first.points + second.points == whole.notebook.points
    for mine, theirs in zip(resumed.trainer.network.parameters(), whole.experiment.trainer.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    for written in ("samples/12.npz", "predictions/8.npz", "predictions/12.npz"):
        assert (tmp_path / "parts" / written).read_bytes() == (whole.folder / written).read_bytes()


@pytest.mark.parametrize(
    "changes",
    [{}, {"ema": None}, ANCESTRAL, LABELS],
    ids=["ddim", "no-ema", "ancestral", "labels"],
)
@pytest.mark.parametrize("left", [{"defers": True}, {"break_off_at": 0.5}], ids=["deferred", "broken-off"])
def test_samples_drawn_later_from_a_checkpoint_are_those_drawn_while_training(
    tmp_path: Path, uninterrupted: Uninterrupted, changes: dict[str, object], left: dict[str, Any]
) -> None:
    chosen = spec(**changes)
    whole, training, later = uninterrupted(**changes), Notebook(**left), Notebook()
    assert ImageDdpmExperiment(chosen, device=CPU, folder=tmp_path / "parts").run(training)
    assert [path.stem for path in training.unevaluated] == ["4", "8", "12"]
    assert not list((tmp_path / "parts").glob("samples/*"))
    evaluator = ImageDdpmExperiment(chosen, device=CPU, folder=tmp_path / "parts")
    for checkpoint in reversed(training.unevaluated):
        assert evaluator.evaluate(later, checkpoint, step=int(checkpoint.stem))
    assert not later.unevaluated
    assert {(p.step, p.metric): p for p in training.points + later.points} == {(p.step, p.metric): p for p in whole.notebook.points}
    for step in (4, 8, 12):
        drawn = [(folder / f"samples/{step}.npz").read_bytes() for folder in (whole.folder, tmp_path / "parts")]
        assert drawn[0] == drawn[1]


@pytest.mark.parametrize("earlier", [4, None], ids=["from an earlier checkpoint", "from the start"])
def test_samples_of_a_lost_checkpoint_are_drawn_after_training_up_to_it_again(
    tmp_path: Path, uninterrupted: Uninterrupted, earlier: int | None
) -> None:
    whole, training, later = uninterrupted(), Notebook(defers=True), Notebook()
    ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path / "parts").run(training)
    checkpoint = next((path for path in training.unevaluated if path.stem == str(earlier)), None)
    evaluator = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path / "parts")
    assert evaluator.evaluate(later, checkpoint, step=8)
    sampled = {point.metric for point in later.points}
    assert later.points == [point for point in whole.notebook.points if point.step == 8 and point.metric in sampled]
    drawn = [(folder / "samples/8.npz").read_bytes() for folder in (whole.folder, tmp_path / "parts")]
    assert drawn[0] == drawn[1]


PROBES: dict[str, object] = {
    "dataset": {"n_train": 16, "n_held_out": 128},
    "measurement": {**MEASUREMENT, "probes": {"images": 100}},
}


@pytest.mark.parametrize(
    ("changes", "earlier"), [({}, 8), ({"ema": None}, 8), (PROBES, 8), ({}, 4)], ids=["ddim", "no-ema", "probes", "trained-again"]
)
def test_measured_again_with_its_own_settings_a_checkpoint_gives_the_numbers_of_training(
    tmp_path: Path, uninterrupted: Uninterrupted, changes: dict[str, object], earlier: int
) -> None:
    whole, later = uninterrupted(**changes), Notebook()
    experiment = ImageDdpmExperiment(spec(**changes), device=CPU, folder=tmp_path)
    checkpoint = whole.folder / "checkpoints" / f"{earlier}.json"
    assert experiment.remeasure(later, checkpoint, step=8, spec=remeasured(spec(**changes), {}))
    assert later.points == [point for point in whole.notebook.points if point.step == 8]


def test_measured_again_with_other_settings_the_counts_are_the_new_ones(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    whole, later = uninterrupted(), Notebook()
    experiment = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path)
    chosen = remeasured(spec(), {"n_generated": 64, "loss_pairs": 48, "sampler.steps": 5})
    assert experiment.remeasure(later, whole.folder / "checkpoints/8.json", step=8, spec=chosen)
    counts = {point.metric: point.count for point in later.points}
    assert (counts["f_mem"], counts["loss_train@100"]) == (64, 48)
    again = Notebook()
    assert experiment.remeasure(again, whole.folder / "checkpoints/8.json", step=8, spec=spec())
    assert again.points == [point for point in whole.notebook.points if point.step == 8], "one leaves nothing behind for the next"


def test_measuring_again_that_is_broken_off_reports_nothing(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    broken = Notebook(break_off_at=0.5)
    experiment = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path)
    assert not experiment.remeasure(broken, uninterrupted().folder / "checkpoints/8.json", step=8, spec=spec())
    assert broken.points == []


def test_an_evaluation_that_is_broken_off_reports_nothing(tmp_path: Path) -> None:
    training, broken = Notebook(defers=True), Notebook(break_off_at=0.5)
    experiment = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path)
    experiment.run(training)
    assert not experiment.evaluate(broken, training.unevaluated[0], step=4)
    assert broken.points == []


def test_another_seed_gives_another_run(tmp_path: Path) -> None:
    notebooks = []
    for seed in (1, 2):
        notebooks.append(Notebook())
        ImageDdpmExperiment(spec(seed=seed), device=CPU, folder=tmp_path / str(seed)).run(notebooks[-1])
    assert notebooks[0].points != notebooks[1].points


def test_a_checkpoint_says_all_that_a_resume_needs_in_json(uninterrupted: Uninterrupted) -> None:
    notebook = uninterrupted().notebook
    state = json.loads(notebook.checkpoints[-1].read_text())
    assert state["step"] == 12
    assert state["spec"] == spec().model_dump(mode="json")
    assert {"weights_sha256", "code_version", "torch_version"} <= set(state)


def test_a_damaged_checkpoint_is_refused_and_the_one_before_is_found(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    checkpoints = uninterrupted().copied_to(tmp_path / "run") / "checkpoints"
    last = checkpoints / "12.json"
    weights = last.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointError, match="damaged"):
        ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path).run(Notebook(), checkpoint=last)
    assert latest_checkpoint(checkpoints) == checkpoints / "8.json"


def test_a_checkpoint_of_another_spec_is_refused(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    notebook = uninterrupted().notebook
    with pytest.raises(CheckpointError, match="another spec"):
        ImageDdpmExperiment(spec(seed=9), device=CPU, folder=tmp_path).run(Notebook(), checkpoint=notebook.checkpoints[-1])


def test_a_diverging_run_stops_and_names_the_step(tmp_path: Path) -> None:
    wild = spec(optimizer={"name": "sgd", "lr": 1e12}, preconditioning=False)
    with pytest.raises(DivergedError, match="step"):
        ImageDdpmExperiment(wild, device=CPU, folder=tmp_path).run(Notebook())


def test_every_f_mem_comes_with_its_control_at_the_same_step(uninterrupted: Uninterrupted) -> None:
    notebook = uninterrupted().notebook
    steps = {name: [p.step for p in notebook.points if p.metric == name] for name in ("f_mem", "f_mem_control")}
    assert steps["f_mem"] == steps["f_mem_control"] == [4, 8, 12]


def test_every_estimate_has_an_interval_and_a_count(uninterrupted: Uninterrupted) -> None:
    for point in uninterrupted().notebook.points:
        assert point.count
        if not point.metric.startswith(("gap_ratio_q", "nearest_distance_q")):
            assert point.low is not None
            assert point.high is not None
            assert point.value is not None
            assert point.low <= point.value <= point.high


def test_the_average_follows_the_weights_early_and_lags_late(tmp_path: Path) -> None:
    """d_k = min(decay, (1 + k)/(10 + k)): the first update takes 9/11 of the new weights."""
    experiment = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path)
    before = [p.clone() for p in experiment.trainer.network.parameters()]
    experiment.trainer.advance()
    for old, new, average in zip(
        before, experiment.trainer.network.parameters(), experiment.trainer.average.network.parameters(), strict=True
    ):
        torch.testing.assert_close(average, old + (new - old) * 9 / 11, rtol=1e-5, atol=1e-6)


def test_an_extended_run_ends_with_the_weights_of_one_that_was_as_long_from_the_start(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    short, extended, straight = Notebook(), Notebook(), uninterrupted()
    ImageDdpmExperiment(spec(steps=8), device=CPU, folder=tmp_path / "a").run(short)
    longer = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path / "a")
    assert longer.run(extended, checkpoint=short.checkpoints[-1])
    assert short.points + extended.points == straight.notebook.points
    for ours, theirs in zip(longer.trainer.network.parameters(), straight.experiment.trainer.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_checkpoint_of_a_longer_budget_is_not_resumed_under_a_shorter_one(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    notebook = uninterrupted().notebook
    with pytest.raises(CheckpointError, match="another spec"):
        ImageDdpmExperiment(spec(steps=8), device=CPU, folder=tmp_path).run(Notebook(), checkpoint=notebook.checkpoints[0])


def test_a_disk_that_takes_no_more_is_an_os_error_whoever_writes_the_file(tmp_path: Path) -> None:
    trainer = ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path).trainer
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on the size of files stands in for the full disk; the system refuses the write in either case.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            save_checkpoint(trainer, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.glob("*.safetensors"))


def forked(folder: Path, step: int, **changes: object) -> tuple[ImageDdpmExperiment, Notebook]:
    """A run of its own that begins from a checkpoint in ``folder``."""
    fork = {"step": step, "path": str(folder / "checkpoints" / f"{step}.json")}
    experiment = ImageDdpmExperiment(spec(fork=fork, **changes), device=CPU, folder=folder.with_name("fork"))
    notebook = Notebook()
    experiment.run(notebook)
    return experiment, notebook


def test_a_fork_that_changes_nothing_is_the_run_it_forks_from(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    original = uninterrupted()
    fork, notebook = forked(original.copied_to(tmp_path / "run"), 8)
    # What theory says is constant, and told at a run's first measurement.
    trained = [point for point in notebook.points if not point.metric.startswith("theory_")]
    assert trained == [point for point in original.notebook.points if point.step > 8]
    for a, b in zip(original.experiment.trainer.network.parameters(), fork.trainer.network.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "changes", [{"optimizer": {"name": "sgd", "lr": 1e-3}}, {"dataset": {"n_train": 32, "n_held_out": 64}}, {"ema": None}]
)
def test_a_fork_goes_on_with_other_parameters_from_the_same_weights(
    tmp_path: Path, uninterrupted: Uninterrupted, changes: dict[str, Any]
) -> None:
    uninterrupted().copied_to(tmp_path / "run")
    fork, notebook = forked(tmp_path / "run", 8, **changes)
    assert fork.trainer.step == 12
    assert {point.step for point in notebook.points} == {12}


def test_a_fork_of_another_network_says_what_must_agree(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    uninterrupted().copied_to(tmp_path / "run")
    other = {"base_width": 16, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]}
    with pytest.raises(CheckpointError, match="holds another network; fork with the network"):
        forked(tmp_path / "run", 8, network=other)


def test_a_fork_takes_only_the_checkpoint_it_names(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    uninterrupted().copied_to(tmp_path / "run")
    fork = {"step": 8, "path": str(tmp_path / "run" / "checkpoints" / "4.json")}
    with pytest.raises(CheckpointError, match="is not the checkpoint of step 8"):
        ImageDdpmExperiment(spec(fork=fork, seed=1), device=CPU, folder=tmp_path / "fork").run(Notebook())
    nowhere = {"step": 8, "run": "1abc"}
    with pytest.raises(CheckpointError, match="step 8 of run 1abc is not here"):
        ImageDdpmExperiment(spec(fork=nowhere), device=CPU, folder=tmp_path / "fork").run(Notebook())


@pytest.mark.parametrize("known", [True, False], ids=["same code", "from before policies"])
def test_a_checkpoint_goes_on_under_another_policy_since_no_weight_depends_on_it(
    tmp_path: Path, uninterrupted: Uninterrupted, known: bool
) -> None:
    short, resumed = Notebook(), Notebook()
    ImageDdpmExperiment(spec(steps=8), device=CPU, folder=tmp_path).run(short)
    if not known:
        state = json.loads(short.checkpoints[-1].read_text())
        del state["spec"]["stopping"], state["spec"]["retention"]
        short.checkpoints[-1].write_text(json.dumps(state))
    under_policy = spec(stopping={"name": "copying"}, retention="pruned")
    ImageDdpmExperiment(under_policy, device=CPU, folder=tmp_path).run(resumed, checkpoint=short.checkpoints[-1])
    assert short.points + resumed.points == uninterrupted().notebook.points
