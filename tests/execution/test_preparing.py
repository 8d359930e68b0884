"""A trainer child tells how far the images are prepared before it trains, and can be asked to end meanwhile."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tauscope.execution.events import DatasetWritten, Failed, Preparing, SegmentEnded, TrainerEvent
from tauscope.execution.pipes import CommandReader, PreparationBrokenOffError, PreparationReporter
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.specs import ImageDdpmSpec
from tests.datasets.made import write_jpegs


def spec(folder: Path, **data: object) -> ImageDdpmSpec:
    dataset = {"name": "celeba", "path": str(folder), "n_train": 4, "n_held_out": 32, "size": 8, **data}
    measurement = {
        "n_generated": 32,
        "loss_pairs": 32,
        "schedule": {"kind": "explicit", "at": [1]},
        "sampler": {"name": "ddim", "steps": 2},
        "frechet_components": 4,
    }
    return ImageDdpmSpec.model_validate(
        {"dataset": dataset, "batch_size": 4, "steps": 1, "network": {"base_width": 8}, "measurement": measurement, "device": "cpu"}
    )


def events_of(child: TrainerProcess, run: ImageDdpmSpec, folder: Path) -> list[TrainerEvent]:
    child.run_segment(run, folder)
    events: list[TrainerEvent] = []
    while not (events and isinstance(events[-1], SegmentEnded | Failed)):
        event = child.next_event(200)
        assert event is not None
        events.append(event)
    return events


def test_a_child_prepares_once_says_so_and_leaves_the_record(tmp_path: Path) -> None:
    faces = write_jpegs(tmp_path / "faces", 40, size=(20, 24))
    child = TrainerProcess(environment={"TAUSCOPE_CACHE": str(tmp_path / "cache")})
    try:
        first = events_of(child, spec(faces, colour=True), tmp_path / "one")
        again = events_of(child, spec(faces, colour=True), tmp_path / "two")
    finally:
        child.close()
    assert isinstance(first[-1], SegmentEnded) and first[-1].finished
    assert next(type(event) for event in first if isinstance(event, Preparing | DatasetWritten)) is Preparing
    assert not [event for event in again if isinstance(event, Preparing)]
    (written,) = (event for event in first if isinstance(event, DatasetWritten))
    assert written.record is not None
    record = json.loads(Path(written.record).read_text())
    assert record["preparation"] == {"n_listed": 40, "n_enlarged": 0, "unreadable": []} and len(record["sha256"]) == 64
    assert (tmp_path / "two/dataset.json").read_bytes() == Path(written.record).read_bytes()
    with np.load(written.train) as stored:
        assert stored["images"].shape == (4, 3, 8, 8)


class Waiting(CommandReader):
    """A reader whose parent has asked for the end."""

    def __init__(self, *, ended: bool) -> None:
        self.ended = ended

    def end_requested(self) -> bool:
        return self.ended


def test_a_preparation_ends_when_the_parent_asks_and_is_told_once_a_second_at_most() -> None:
    told = BytesIO()
    report = PreparationReporter(told, Waiting(ended=False))
    for done in range(1, 100):
        report(done, 100)
    assert told.getvalue().count(b"\n") == 1
    with pytest.raises(PreparationBrokenOffError, match="after 3 of 100 images"):
        PreparationReporter(told, Waiting(ended=True))(3, 100)
