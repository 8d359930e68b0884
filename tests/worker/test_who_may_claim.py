"""Which worker may claim a run: by the code of its checkpoint, by its device and by its queue."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete

from backend.storage.claims import Claim, accept_other_code, claim_next, fall_back
from backend.storage.offers import Offer
from backend.storage.tables import Run
from tests.worker.claimed import AddRun, Sessions, certain, reach, run


def under(sessions: Sessions, version: str, *, accepting: bool = False) -> Claim | None:
    """Claim as a worker that runs this code."""
    with sessions.begin() as session:
        return claim_next(session, "one", 15, Offer(code_version=version, accepts_other_code=accepting))


def test_a_claim_knows_which_code_wrote_its_checkpoint_and_a_fallback_which_wrote_the_one_before(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    versions = []
    for version, step in (("a", 10), ("b", 20), ("c", 20)):
        held = certain(under(sessions, version, accepting=True))
        versions.append(held.resumed_version)
        if version != "c":
            reach(sessions, held, step)
            expire_lease("run-1")
    assert versions == [None, "a", "b"]
    with sessions.begin() as session:
        assert fall_back(session, held, 20, "is damaged").resumed_version == "a"
    assert run(sessions).checkpoint_version == "a"
    with sessions.begin() as session:
        assert fall_back(session, held, 10, "is damaged").resumed_version is None
    assert run(sessions).checkpoint_version is None


def test_a_run_waits_for_the_code_that_wrote_its_checkpoint_unless_the_worker_accepts_other_code(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    first = certain(under(sessions, "a"))
    expire_lease("run-1")
    second = certain(under(sessions, "b"))
    assert second.epoch == first.epoch + 1, "without a checkpoint nothing would be mixed"
    reach(sessions, second, 10)
    expire_lease("run-1")
    assert under(sessions, "a") is None
    assert run(sessions).checkpoint_version == "b"
    assert certain(under(sessions, "b")).checkpoint is not None
    expire_lease("run-1")
    assert certain(under(sessions, "a", accepting=True)).resumed_version == "b"


def test_a_checkpoint_that_a_gpu_wrote_waits_for_one_and_a_run_for_the_cpu_may_go_on_anywhere(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    def on(*devices: str) -> Claim | None:
        with sessions.begin() as session:
            return claim_next(session, "one", 15, Offer(devices=devices, code_version="a"))

    add_run()
    reach(sessions, certain(on("cpu", "cuda")), 10)
    expire_lease("run-1")
    assert on("cpu") is None
    assert run(sessions).checkpoint_version == "a@cuda"
    assert certain(on("cpu", "cuda")).resumed_version == "a@cuda"
    add_run("run-2", spec={"kind": "image_ddpm", "device": "cpu"})
    reach(sessions, certain(on("cpu", "cuda")), 10)
    expire_lease("run-2")
    assert certain(on("cpu")).resumed_version == "a"


def test_a_checkpoint_from_before_versions_were_kept_suits_everybody(sessions: Sessions, add_run: AddRun) -> None:
    add_run(checkpoint_step=10)
    assert under(sessions, "a") is not None


def test_accepted_code_is_noted_once_however_often_its_first_segment_dies(
    sessions: Sessions, add_run: AddRun, expire_lease: Callable[[str], None]
) -> None:
    add_run()
    reach(sessions, certain(under(sessions, "a")), 10)
    for _ in range(2):
        expire_lease("run-1")
        held = certain(under(sessions, "b", accepting=True))
        with sessions.begin() as session:
            accept_other_code(session, held)
    assert run(sessions).code_note == "steps up to 10 computed by a, later ones by b"


def offered(sessions: Sessions, **offer: object) -> str | None:
    with sessions.begin() as session:
        claim = claim_next(session, "one", 15, Offer(**offer))  # type: ignore[arg-type]
        return claim.run_id if claim else None


def test_a_worker_claims_runs_of_its_queues_alone(sessions: Sessions, add_run: AddRun) -> None:
    add_run("a", queue="gpu", priority=9)
    add_run("b", queue="night-shift")
    assert offered(sessions) is None
    assert offered(sessions, queues=("default", "night-shift")) == "b"
    assert offered(sessions, queues=("gpu",)) == "a"


@pytest.mark.parametrize(("wanted", "suitable"), [("cuda", ["cuda"]), ("cuda:1", ["cuda"]), ("mps", ["mps"]), ("cpu", ["cuda", "mps", ""])])
def test_a_run_that_names_a_device_is_left_to_workers_that_have_one(
    sessions: Sessions, add_run: AddRun, wanted: str, suitable: list[str]
) -> None:
    for kind in ("cuda", "mps", ""):
        run_id = add_run(f"for-{kind or 'cpu'}", spec={"kind": "image_ddpm", "device": wanted})
        devices = ("cpu", kind) if kind else ("cpu",)
        got = offered(sessions, devices=devices)
        assert (got == run_id) is (kind in suitable)
        with sessions.begin() as session:
            session.execute(delete(Run))
