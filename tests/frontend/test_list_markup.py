"""The rows of the list: what they show, and that very many runs or experiments stay within their bounds."""

from typing import Any

import pytest

from frontend.charts.groups import group_runs
from frontend.comparison import Comparison, Part
from frontend.manage import removal_words
from frontend.markup.compare import chosen_list
from frontend.markup.experiments import experiment_rows, mini_rail
from frontend.markup.started import started
from frontend.theme import LIGHT
from frontend.views import list_filter
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.runs import RunState
from tests.frontend import fake_world as world


def rows(*experiments: ExperimentView, total: int | None = None, filtered: bool = False) -> str:
    return experiment_rows(experiments, total=len(experiments) if total is None else total, filtered=filtered, palette=LIGHT)


def test_tags_are_links_to_what_else_has_them() -> None:
    tagged = rows(world.finished().model_copy(update={"tags": ("for the talk",)}))
    assert 'href="/experiments?tag=for+the+talk"' in tagged or 'href="/experiments?tag=for%20the%20talk"' in tagged


def test_a_failed_row_gives_the_reason_the_log_and_a_way_to_launch_a_changed_copy() -> None:
    failed = rows(world.failed())
    assert "Use a lower learning rate" in failed
    assert 'href="/run?id=failedr1"' in failed
    assert 'href="/launch?from=failed"' in failed


def test_rows_not_yet_shown_are_counted_and_one_click_away() -> None:
    assert "1 of 40 shown" in rows(world.finished(), total=40)
    assert "data-more" not in rows(world.finished())


def test_an_empty_list_leads_to_a_launch_and_an_empty_search_back_to_all() -> None:
    assert 'href="/launch"' in rows()
    assert "Nothing matches" in rows(filtered=True)
    assert 'href="/experiments"' in rows(filtered=True)


def test_a_sweep_of_forty_runs_keeps_to_the_height_of_a_row() -> None:
    one = world.finished()
    runs = tuple(world.run_view("demo", index, 16, step=450, state=RunState.FINISHED) for index in range(40))
    many = one.model_copy(update={"runs": tuple(run.model_copy(update={"params": {"n_train": 16, "seed": run.index}}) for run in runs)})
    rail = mini_rail(group_runs(many, LIGHT))
    height = int(rail.split('height="')[1].split('"')[0])
    assert height <= 72
    assert rail.count('stroke="var(--tau-rule)"') == 12


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ({}, {}),
        ({"q": " n > 16 ", "state": "running"}, {"query": "n > 16", "state": "live"}),
        ({"state": "archived", "tag": "a", "data": "digits"}, {"archived": True, "tag": "a", "data": "digits"}),
        ({"state": "nonsense", "rows": "50"}, {}),
    ],
)
def test_the_lists_address_becomes_what_the_service_is_asked(address: dict[str, str], asked: dict[str, Any]) -> None:
    assert list_filter(address) == asked


def test_a_deletion_says_what_goes_and_what_stays() -> None:
    words = removal_words(world.deletion_preview())
    assert words.startswith("3 runs with 1,240 measured numbers, 45 checkpoints")
    assert words.endswith("2 files that other experiments refer to stay")


def test_a_second_launch_of_a_preset_is_told_from_the_first_by_its_start() -> None:
    first = world.finished().model_copy(update={"created_at": 1_790_000_000.0})
    later = first.model_copy(update={"id": "later", "created_at": first.created_at + 3600})
    at_once = first.model_copy(update={"id": "atonce", "created_at": first.created_at + 5})
    assert [started(item, [first, later]) for item in (first, later)] == ["21 Sep 14:13 UTC", "21 Sep 15:13 UTC"]
    assert [started(item, [first, at_once]) for item in (first, at_once)] == ["21 Sep 14:13:20 UTC", "21 Sep 14:13:25 UTC"]
    assert "21 Sep 14:13 UTC" in rows(first, later) and "21 Sep 15:13 UTC" in rows(first, later)


def test_experiments_of_one_name_are_compared_under_their_start_and_others_without_it() -> None:
    first = world.finished()
    later = first.model_copy(update={"id": "later", "created_at": first.created_at + 3600})
    other = later.model_copy(update={"name": "another"})

    def chips(*experiments: ExperimentView) -> str:
        parts = [Part(letter, item, frozenset(run.id for run in item.runs)) for letter, item in zip("AB", experiments, strict=True)]
        return chosen_list(Comparison(tuple(parts)))

    assert chips(first, later).count(", started ") == 2
    assert "started" not in chips(first, other)
