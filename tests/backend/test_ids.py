"""Ids sort by the time they were made, so that what is told in one transaction is told in its order."""

from backend.storage.ids import new_id


def test_ids_of_one_millisecond_sort_in_the_order_in_which_they_were_made() -> None:
    made = [new_id(1_700_000_000.0) for _ in range(1000)]
    assert made == sorted(set(made))


def test_a_later_millisecond_sorts_after_whatever_came_before_it() -> None:
    made = [new_id(1_700_000_000.0 + step / 1000) for step in range(1000)]
    assert made == sorted(made)
    assert {len(one) for one in made} == {16}
