"""Runs under faults end with exactly the points, samples and tensors of undisturbed ones, on both stacks.

``TAUSCOPE_CHAOS_SEED`` draws another plan; the same seed repeats one.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.storage.artifacts import ArtifactStore
from backend.storage.reading import reading
from tests.chaos.campaign import Campaign
from tests.chaos.judge import Result, differences, rewinds, settings, stored, undisturbed
from tests.chaos.plan import Fault, Kind, draw_plan
from tests.chaos.processes import marked, send
from tests.chaos.stacks import ClusterStack, EmbeddedStack

SEED = int(os.environ.get("TAUSCOPE_CHAOS_SEED", "1"))
BUILD = Path(__file__).parents[2] / "build"
QUICK = settings(runs=4, steps=120, checkpoints=5)
# The ones that reach deepest into a run; the long campaign has them all.
QUICK_KINDS = {
    "embedded": (Kind.KILL_WORKER, Kind.KILL_CHILD, Kind.KILL_SUPERVISOR, Kind.FLIP, Kind.FLUSH_BROKER),
    "cluster": (Kind.KILL_WORKER, Kind.KILL_POSTGRES, Kind.FREEZE_WORKER, Kind.LOSE_BROKER, Kind.STORE_ERROR),
}
LONG = settings(runs=12, steps=int(os.environ.get("TAUSCOPE_CHAOS_STEPS", "300")), checkpoints=9)
LONG_FAULTS_PER_KIND = int(os.environ.get("TAUSCOPE_CHAOS_FAULTS", "8"))

Stack = EmbeddedStack | ClusterStack


@pytest.fixture
def small_disk() -> Iterator[Path | None]:
    """A file system of its own that can be filled; ``None`` where mounting is not permitted."""
    folder = Path(tempfile.mkdtemp(prefix="tauscope-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "none", str(folder)], capture_output=True, check=False)
    yield folder if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["embedded", "cluster"])
def stack(request: pytest.FixtureRequest, small_disk: Path | None, tmp_path: Path) -> Iterator[Stack]:
    home = (small_disk or tmp_path) / "home"
    if request.param == "embedded":
        stack: Stack = EmbeddedStack(home)
    else:
        stack = ClusterStack(home, Path(tempfile.mkdtemp(prefix="tauscope-pg-")))
    stack.kinds = tuple(kind for kind in stack.kinds if kind is not Kind.DISK_FULL or small_disk)
    if not small_disk:
        print("disk full: left out, mounting a small file system is not permitted here")
    try:
        stack.start()
        yield stack
        assert not stack.stop(), "processes are left"
        assert not list((home / "scratch").iterdir()), "work folders are left"
    finally:
        send(marked(stack.mark), signal.SIGKILL)
        print(stack.log.read_text(errors="replace")[-4000:])
        for log in (home / "logs").glob("*.log"):
            print(f"{log.name}:\n{log.read_text(errors='replace')[-3000:]}")


def endure(stack: Stack, assignments: dict[str, Any], plan: list[Fault], expected: dict[str, Result], *, patience: float) -> Campaign:
    campaign = Campaign(stack, SEED)
    started = time.monotonic()
    campaign.attack(plan, assignments)
    campaign.finish(patience)
    campaign.tally.seconds = time.monotonic() - started
    assert {(state, reason) for _, state, reason in campaign.outcomes} == {("finished", "")}
    campaign.restore_unread(campaign.saboteur.damaged)
    with reading(campaign.sessions) as session:
        found = stored(session, ArtifactStore(str(stack.artifacts)))
        campaign.tally.lost_attempts, campaign.tally.rewound_steps = rewinds(session)
    campaign.close()
    assert [differences(expected, each) for each in found] == [[]] * campaign.tally.experiments
    return campaign


def report(stack: Stack, campaign: Campaign, name: str, show: Callable[[str], None]) -> None:
    table = campaign.tally.table(f"{stack.name}, {name}")
    BUILD.mkdir(exist_ok=True)
    (BUILD / f"chaos-{name}-{stack.name}.txt").write_text(table + "\n")
    show(f"\n{table}\n")


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print past pytest's capture: the figures are the point of the long campaign."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(text)

    return show


@pytest.fixture(scope="module")
def quick_reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return undisturbed(QUICK, tmp_path_factory.mktemp("undisturbed") / "sweep")


@pytest.fixture(scope="module")
def long_reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return undisturbed(LONG, tmp_path_factory.mktemp("undisturbed") / "sweep")


def test_a_few_faults_change_nothing_in_any_result(quick_reference: dict[str, Result], stack: Stack, show: Callable[[str], None]) -> None:
    kinds = QUICK_KINDS[stack.name]
    campaign = endure(stack, QUICK, draw_plan(SEED, kinds, len(kinds)), quick_reference, patience=60)
    report(stack, campaign, "quick", show)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_every_kind_of_fault_many_times_over_changes_nothing_in_any_result(
    long_reference: dict[str, Result], stack: Stack, show: Callable[[str], None]
) -> None:
    faults = LONG_FAULTS_PER_KIND * len(stack.kinds)
    campaign = endure(stack, LONG, draw_plan(SEED, stack.kinds, faults), long_reference, patience=900)
    report(stack, campaign, "long", show)
