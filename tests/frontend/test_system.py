"""The words of the System page."""

from typing import Any

from frontend.markup.system import system_finding, system_regions
from tauscope.contracts.storage import StorageView
from tauscope.contracts.system import SystemView, WorkerView
from tests.frontend import fake_history
from tests.frontend import fake_world as world


def system(**worker: Any) -> SystemView:
    about = {"name": "laptop", "device": "cpu", "slots": 2, "busy": 1, "seen_at": world.T0 - 3} | worker
    return SystemView(version="0", database="sqlite", queued=1, running=1, workers=(WorkerView(**about),), server_time=world.T0)


def test_the_finding_says_what_needs_attention() -> None:
    assert system_finding(system(), fake_history.diagnosis()) == "1 of 2 slots busy; 1 run waits. Needs attention: disk."
    well = fake_history.diagnosis().model_copy(update={"checks": fake_history.diagnosis().checks[:1]})
    assert system_finding(system(), well).endswith("Nothing needs attention.")


def test_what_is_at_fault_comes_first_with_its_remedy() -> None:
    side = system_regions(system(), fake_history.diagnosis())["side"]
    assert side.index("disk") < side.index("database")
    assert "2 GiB free under /home" in side and "Free some space." in side


def test_a_worker_shows_queues_version_draining_and_when_it_was_heard() -> None:
    main = system_regions(system(queues=("default", "gpu"), code_version="0.1+a", draining=True), fake_history.diagnosis())["main"]
    for words in ("1 of 2", "default, gpu", "0.1+a", "draining: takes no further run", "3 s ago"):
        assert words in main
    assert "silent, 2 min ago" in system_regions(system(seen_at=world.T0 - 150), fake_history.diagnosis())["main"]


def test_without_a_worker_the_table_says_how_to_start_one() -> None:
    nobody = system().model_copy(update={"workers": ()})
    assert "Start one: tauscope up" in system_regions(nobody, fake_history.diagnosis())["main"]


def test_a_queue_that_nobody_serves_is_marked_only_while_something_waits_in_it() -> None:
    side = system_regions(system(), fake_history.diagnosis())["side"]
    assert side.count("none serves it") == 1
    idle = fake_history.diagnosis().queues[1].model_copy(update={"waiting": 0})
    assert "none serves it" not in system_regions(system(), fake_history.diagnosis().model_copy(update={"queues": (idle,)}))["side"]


def test_failures_lead_to_their_run_with_reason_and_folded_traceback() -> None:
    main = system_regions(system(), fake_history.diagnosis())["main"]
    assert 'data-go="/run?id=failedr1"' in main
    assert "Use a lower learning rate" in main and "in trouble, tried again, 2 h ago" in main
    assert main.count("<details>") == 1 and "&lt;the step&gt;" in main


def test_space_is_told_against_the_quota_with_its_warning() -> None:
    storage = StorageView(bytes_used=9 * 10**9, quota_bytes=10**10, free_bytes=5 * 10**9, warning="90% of the quota is used")
    side = system_regions(system().model_copy(update={"storage": storage}), fake_history.diagnosis())["side"]
    assert "9.0 GB of 10.0 GB of artifacts, 5.0 GB free on the disk" in side and "90% of the quota is used" in side
