"""When memory runs out, the run says which field asked for too much, and which batch would fit."""

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tauscope.execution import trial
from tauscope.execution.events import Failed, SegmentEnded, TrainerEvent
from tauscope.execution.memory import BatchSearch, Shortage, largest_batch, ran_out_of_memory
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.execution.trial import TrialError, fits
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs import ImageDdpmSpec

MIB = 2**20
CPU = torch.device("cpu")


def tiny(batch: int | str = 8, *, width: int = 8, steps: int = 3, device: str = "cpu") -> ImageDdpmSpec:
    measurement = {
        "n_generated": 32,
        "loss_pairs": 32,
        "schedule": {"kind": "explicit", "at": [1]},
        "sampler": {"name": "ddim", "steps": 2},
    }
    sizes = {"batch_size": batch, "steps": steps, "network": {"base_width": width}, "dataset": {"n_train": 16}}
    return ImageDdpmSpec.model_validate(sizes | {"measurement": measurement, "device": device})


def whole_segment(child: TrainerProcess, spec: ImageDdpmSpec, folder: Path) -> TrainerEvent:
    child.run_segment(spec, folder)
    while True:
        event = child.next_event(200)
        assert event is not None
        if isinstance(event, SegmentEnded | Failed):
            return event


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set from outside the process, as Linux can")
def test_a_batch_that_does_not_fit_is_answered_with_the_largest_that_does(tmp_path: Path) -> None:
    """With 32 channels, a trial of 256 images takes 30 MiB and one of 512 takes 330 more than a process that has measured; both measured.

    The limit lies in the middle.
    """
    child = TrainerProcess()
    # The first segment loads every library, so that the limit is about the batch alone.
    assert isinstance(whole_segment(child, tiny(4, width=32, steps=1), tmp_path / "first"), SegmentEnded)
    has = int(Path(f"/proc/{child.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(child.pid, resource.RLIMIT_AS, (has + 180 * MIB,) * 2)
    end = whole_segment(child, tiny(1024, width=32), tmp_path / "second")
    child.close()
    assert isinstance(end, Failed)
    assert (end.code, end.message) == (
        "out_of_memory",
        "batch_size 1024 does not fit in the memory of cpu; 256 does (tried 512, 256)",
    )
    assert end.remedy == "Set compute.micro_batch to 256 for the same batch in parts, or lower batch_size or network.base_width"
    assert "trainer.py" in end.traceback


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_refused_allocations_are_told_from_other_errors(error: Exception, ran_out: bool) -> None:
    assert ran_out_of_memory(error) is ran_out


def no_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("out of memory")


def break_step(experiment: ImageDdpmExperiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment.trainer.network, "forward", no_memory)


def break_losses(experiment: ImageDdpmExperiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tauscope.metrics.losses.mean_interval", no_memory)


def break_sampling(experiment: ImageDdpmExperiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tauscope.experiments.sampling.draw_samples", no_memory)


def break_dataset(experiment: ImageDdpmExperiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "write_data", no_memory)


class Silent:
    """A recorder that keeps nothing."""

    def __getattr__(self, name: str) -> Callable[..., bool]:
        return lambda *_: False


@pytest.mark.parametrize(
    ("break_part", "field"),
    [
        (break_step, "batch_size"),
        (break_losses, "measurement.loss_pairs"),
        (break_sampling, "measurement.n_generated"),
        (break_dataset, None),
    ],
)
def test_the_error_itself_tells_which_field_asked_for_too_much(
    break_part: Callable[[ImageDdpmExperiment, pytest.MonkeyPatch], None],
    field: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = ImageDdpmExperiment(tiny(), device=CPU, folder=tmp_path)
    break_part(experiment, monkeypatch)
    with pytest.raises(torch.OutOfMemoryError) as caught:
        experiment.run(Silent())
    assert Shortage.of(caught.value).field == field


def test_memory_that_ran_out_while_measuring_is_not_blamed_on_the_batch() -> None:
    failed = Shortage("measurement.n_generated", "Traceback").failure(tiny(), CPU)
    assert failed.message == "the memory of cpu ran out while measuring, with measurement.n_generated 32"
    assert failed.remedy.startswith("Lower measurement.n_generated")
    assert "network.base_width" in Shortage(None, "").failure(tiny(), CPU).remedy


@pytest.mark.parametrize(
    ("batch", "limit", "found"),
    [
        (512, 100, BatchSearch(64, (256, 128, 64))),
        (7, 3, BatchSearch(3, (3,))),
        (4, 0, BatchSearch(None, (2, 1))),
        (1, 0, BatchSearch(None, ())),
    ],
)
def test_batches_are_halved_until_one_fits(batch: int, limit: int, found: BatchSearch) -> None:
    assert largest_batch(lambda size: size <= limit, batch) == found


def test_a_search_ends_when_the_segment_shall() -> None:
    ends = iter([False, True])
    assert largest_batch(lambda size: False, 512, ended=lambda: next(ends)) == BatchSearch(None, (256,))


def test_the_failure_names_the_batch_that_fits_and_what_was_tried() -> None:
    shortage, device = Shortage("batch_size", ""), torch.device("cuda:0")
    found = shortage.batch_failure(tiny(512), device, BatchSearch(64, (256, 128, 64)))
    assert found.message == "batch_size 512 does not fit in the memory of cuda:0; 64 does (tried 256, 128, 64)"
    assert found.remedy == "Set compute.micro_batch to 64 for the same batch in parts, or lower batch_size or network.base_width"
    assert '"full", 16 images, does not fit' in shortage.batch_failure(tiny("full"), device, BatchSearch(8, (8,))).message
    broken_off = shortage.batch_failure(tiny(512), device, BatchSearch(None, (256,)))
    assert broken_off.remedy == "Lower batch_size or network.base_width"
    none = shortage.batch_failure(tiny(4), device, BatchSearch(None, (2, 1)))
    assert (none.message, none.remedy) == (
        "batch_size 4 does not fit in the memory of cuda:0, nor does any that was tried (tried 2, 1)",
        "Lower network.base_width",
    )


def test_a_trial_makes_real_steps_in_a_process_of_its_own() -> None:
    assert fits(tiny(), 4)


def test_a_trial_that_fails_for_another_reason_says_so() -> None:
    with pytest.raises(TrialError, match="exit code 1"):
        fits(tiny(device="cuda:97"), 4)


def test_a_trial_whose_process_is_killed_did_not_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(killed))
    assert not fits(tiny(), 4)
