"""The plan can be repeated, leaves no kind out, and knows what each kind hits."""

from collections import Counter

import pytest

from tests.chaos.plan import Kind, draw_plan, victims


def test_the_same_seed_draws_the_same_plan_and_another_seed_another() -> None:
    plan = draw_plan(1, list(Kind), 60)
    assert plan == draw_plan(1, list(Kind), 60)
    assert [fault.kind for fault in plan] != [fault.kind for fault in draw_plan(2, list(Kind), 60)]


def test_every_kind_comes_as_often_as_every_other() -> None:
    counts = Counter(fault.kind for fault in draw_plan(1, list(Kind), 8 * len(Kind)))
    assert counts == dict.fromkeys(Kind, 8)


@pytest.mark.parametrize("kind", Kind)
def test_no_kind_may_overlap_with_itself_or_with_the_loss_of_everything(kind: Kind) -> None:
    assert victims(kind)
    assert victims(kind) & victims(Kind.KILL_SUPERVISOR)
