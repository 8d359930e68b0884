"""Runs under faults end with exactly the points, samples and tensors of undisturbed ones, on both stacks.

The long campaign takes from the environment, besides ``TAUSCOPE_CHAOS_SEED`` (another plan; the same seed repeats one):
``TAUSCOPE_CHAOS_FAULTS`` of each kind (8), ``TAUSCOPE_CHAOS_KINDS`` (kinds by name, e.g. "FLUSHALL,disk full"; all),
``TAUSCOPE_CHAOS_STACKS`` ("embedded", "cluster"; both at once) and ``TAUSCOPE_CHAOS_STEPS`` of each run (600).
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from backend.storage.artifacts import ArtifactStore
from backend.storage.reading import reading
from tests.chaos.aftermath import told_on_failure
from tests.chaos.campaign import Campaign
from tests.chaos.cluster import ClusterStack
from tests.chaos.embedded import EmbeddedStack
from tests.chaos.judge import Result, differences, rewinds, stored, undisturbed
from tests.chaos.plan import Kind, draw_plan
from tests.throwaway import throwaway_folder
from tests.tiny import tiny_training

SEED = int(os.environ.get("TAUSCOPE_CHAOS_SEED", "1"))
BUILD = Path(__file__).parents[2] / "build"
QUICK = tiny_training(runs=4, steps=200, checkpoints=5)
# The ones that reach deepest into a run; the long campaign has them all.
QUICK_KINDS = {
    "embedded": (Kind.KILL_WORKER, Kind.KILL_CHILD, Kind.KILL_SUPERVISOR, Kind.FLIP, Kind.FLUSH_BROKER),
    "cluster": (Kind.KILL_WORKER, Kind.KILL_POSTGRES, Kind.FREEZE_WORKER, Kind.LOSE_BROKER, Kind.STORE_ERROR),
}
LONG = tiny_training(runs=12, steps=int(os.environ.get("TAUSCOPE_CHAOS_STEPS", "600")), checkpoints=10)
LONG_FAULTS_PER_KIND = int(os.environ.get("TAUSCOPE_CHAOS_FAULTS", "8"))
LONG_KINDS = frozenset(Kind(name.strip()) for name in os.environ.get("TAUSCOPE_CHAOS_KINDS", ",".join(Kind)).split(","))
LONG_STACKS = os.environ.get("TAUSCOPE_CHAOS_STACKS", "embedded,cluster").split(",")
# Room for what the runs of a quarter of an hour store, and for Postgres' own hundred megabytes.
HOME_MEGABYTES, POSTGRES_MEGABYTES = 900, 300

Stack = EmbeddedStack | ClusterStack


@contextmanager
def running_stack(name: str, orders: Path) -> Iterator[Stack]:
    """A stack on small disks of its own, which are removed with all that is left even if the test is killed."""
    with ExitStack() as folders:
        home, small = _small_disk(folders, HOME_MEGABYTES)
        unfillable = set() if small else {Kind.DISK_FULL}
        if name == "embedded":
            stack: Stack = EmbeddedStack(home / "home", orders)
        else:
            database, small = _small_disk(folders, POSTGRES_MEGABYTES)
            unfillable |= set() if small else {Kind.POSTGRES_DISK_FULL}
            stack = ClusterStack(home / "home", orders, database)
        stack.kinds = tuple(kind for kind in stack.kinds if kind not in unfillable)
        try:
            stack.start()
            with told_on_failure(stack, BUILD):
                yield stack
            assert not stack.stop(), "processes are left"
            assert not list((stack.home / "scratch").iterdir()), "work folders are left"
        finally:
            print(stack.log.read_text(errors="replace")[-4000:])
            for log in (stack.home / "logs").glob("*.log"):
                print(f"{log.name}:\n{log.read_text(errors='replace')[-3000:]}")


def _small_disk(folders: ExitStack, megabytes: int) -> tuple[Path, bool]:
    """A folder, and whether it is a disk that can be filled."""
    if disk := folders.enter_context(throwaway_folder("tauscope-chaos-", megabytes=megabytes)):
        return disk, True
    print("a full disk is left out: mounting a small file system is not permitted here")
    folder = folders.enter_context(throwaway_folder("tauscope-chaos-"))
    assert folder is not None
    return folder, False


def endure(
    stack: Stack, assignments: dict[str, Any], kinds: Sequence[Kind], expected: dict[str, Result], *, faults: int, patience: float
) -> str:
    """Carry out the plan, judge every run, and return the table."""
    campaign = Campaign(stack, SEED)
    started = time.monotonic()
    campaign.carry_out(draw_plan(SEED, kinds, faults), assignments, patience=patience)
    campaign.tally.seconds = time.monotonic() - started
    assert {(state, reason) for _, state, reason in campaign.outcomes} == {("finished", "")}
    campaign.restore_unread(campaign.saboteur.damaged)
    with reading(campaign.sessions) as session:
        found = stored(session, ArtifactStore(str(stack.artifacts)))
        campaign.tally.lost_attempts, campaign.tally.rewound_steps = rewinds(session)
    campaign.close()
    campaign.tally.runs = sum(map(len, found))
    assert [differences(expected, each) for each in found] == [[]] * campaign.tally.experiments
    return campaign.tally.table(stack.name)


def keep(table: str, name: str, show: Callable[[str], None]) -> None:
    BUILD.mkdir(exist_ok=True)
    (BUILD / f"chaos-{name}.txt").write_text(table + "\n")
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


@pytest.mark.parametrize("name", QUICK_KINDS)
def test_a_few_faults_change_nothing_in_any_result(
    quick_reference: dict[str, Result], name: str, tmp_path: Path, show: Callable[[str], None]
) -> None:
    kinds = QUICK_KINDS[name]
    with running_stack(name, tmp_path) as stack:
        keep(endure(stack, QUICK, kinds, quick_reference, faults=len(kinds), patience=150), f"quick-{name}", show)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_every_kind_of_fault_many_times_over_changes_nothing_in_any_result(
    long_reference: dict[str, Result], tmp_path: Path, show: Callable[[str], None]
) -> None:
    def campaign(name: str) -> str:
        with running_stack(name, tmp_path / name) as stack:
            kinds = [kind for kind in stack.kinds if kind in LONG_KINDS]
            return endure(stack, LONG, kinds, long_reference, faults=LONG_FAULTS_PER_KIND * len(kinds), patience=600)

    with ThreadPoolExecutor(len(LONG_STACKS)) as pool:
        ends = {name: pool.submit(campaign, name) for name in LONG_STACKS}
    for name, end in ends.items():
        if not end.exception():
            keep(end.result(), f"long-{name}", show)
    assert not [end.exception() for end in ends.values() if end.exception()]
