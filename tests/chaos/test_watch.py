"""When a run counts as having gone on after a fault."""

import pytest

from tests.chaos.watch import Look, Standing

BEFORE = Standing("running", epoch=3, step=40, start=20)


@pytest.mark.parametrize(
    ("now", "went_on"),
    [
        (BEFORE, False),
        (Standing("running", epoch=3, step=41, start=20), True),
        (Standing("running", epoch=4, step=20, start=20), False),
        (Standing("running", epoch=4, step=21, start=20), True),
        (Standing("queued", epoch=4, step=30, start=20), True),
        (Standing("queued", epoch=3, step=40, start=20), False),
        (Standing("finished", epoch=3, step=40, start=20), True),
    ],
)
def test_a_run_went_on_once_it_trained_beyond_where_it_stood_or_began_again(now: Standing, went_on: bool) -> None:
    assert now.went_on_since(BEFORE) is went_on


def test_no_further_sweep_is_launched_while_the_database_cannot_say_how_many_runs_are_left() -> None:
    assert not Look(runs={}).few(4)
    assert Look(runs={"a": BEFORE, "b": BEFORE._replace(state="finished")}).few(2)
    assert not Look(runs={"a": BEFORE, "b": BEFORE}).few(2)
