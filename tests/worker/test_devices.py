"""What a machine offers, found out without PyTorch."""

import pytest

from backend.storage.offers import kinds
from tauscope.execution.events import Ready
from worker.devices import brief, slot_device, slot_environment
from worker.settings import WorkerSettings
from worker.slots import Slot


def pytorch_of(monkeypatch: pytest.MonkeyPatch, build: str) -> None:
    monkeypatch.setattr("worker.devices.version", lambda package: f"2.13.0{build}")


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3,5")
    pytorch_of(monkeypatch, "+cu128")


@pytest.mark.usefixtures("gpus")
def test_every_slot_has_a_gpu_of_its_own_under_the_machines_number() -> None:
    assert [slot_device(index) for index in range(4)] == ["cuda:2", "cuda:3", "cuda:5", "cuda:2"]
    assert [slot_environment(index)["CUDA_VISIBLE_DEVICES"] for index in range(4)] == ["2", "3", "5", "2"]


def test_gpus_that_are_named_by_their_serial_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8f2c,GPU-11d0")
    pytorch_of(monkeypatch, "")
    assert [slot_device(index) for index in range(2)] == ["cuda:0", "cuda:1"]


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        (["cpu", "cpu"], "cpu"),
        (["mps"], "mps"),
        (["cuda:3"], "cuda:3"),
        ([f"cuda:{index}" for index in range(16)], "cuda:0-15"),
        (["cuda:2", "cuda:6", "cuda:3", "cuda:2"], "cuda:2-3,6"),
        (["cuda:0", "cpu"], "cuda:0, cpu"),
    ],
)
def test_all_devices_of_a_worker_fit_into_a_few_words_that_give_back_their_kinds(devices: list[str], words: str) -> None:
    assert brief(devices) == words
    assert kinds(words.split(", ")) == kinds(devices)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(("slots", "share"), [(3, "0.2"), (4, "1.0")])
def test_a_slot_makes_sure_that_its_gpu_is_free_unless_slots_share_gpus_on_purpose(slots: int, share: str) -> None:
    settings = WorkerSettings(slots=slots, device_busy_share=0.2, device_patience_seconds=7)
    assert Slot(0, settings).device_check() == {"TAUSCOPE_DEVICE_BUSY_SHARE": share, "TAUSCOPE_DEVICE_PATIENCE_SECONDS": "7.0"}


@pytest.mark.usefixtures("gpus")
def test_pytorch_built_for_the_cpu_is_offered_no_gpu_before_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pytorch_of(monkeypatch, "+cpu")
    assert [slot_device(index) for index in range(2)] == ["cpu", "cpu"]


@pytest.mark.usefixtures("gpus")
def test_a_build_of_pytorch_for_the_cpu_on_a_machine_with_gpus_offers_no_gpu() -> None:
    slot = Slot(0, WorkerSettings(slots=1))
    slot.note(Ready(torch_version="2", device="cuda:0"))
    assert slot.device == "cuda:2"
    slot.note(Ready(torch_version="2", device="cpu"))
    assert slot.device == "cpu"
