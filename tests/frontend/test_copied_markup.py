"""The words of the board of copied training images: intervals, counts, chance and control beside every number; and what is escaped."""

import re
from typing import Any

import pytest

from frontend.copied_view import copied_view
from frontend.markup.copied import about, board
from tauscope.client import ApiError
from tauscope.contracts.copied import CAVEAT, CopiedImages
from tauscope.contracts.problems import Problem
from tests.frontend import fake_world as world
from tests.frontend.fake_copied import copied

RUN = world.finished().runs[2]


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


class Answering:
    """The one method of the client that is used; everything else is not found."""

    def copied(self, run_id: str, step: str, **query: Any) -> CopiedImages:
        found = copied(RUN, int(step), **query) if int(step) in world.SAMPLE_STEPS else None
        if found is None or not found.total:
            detail = f"Nothing at {step} <b>"
            raise ApiError(Problem(type="", title="", status=404, code="samples_not_found", detail=detail, remedy="Ask for another"))
        return found


def view(**query: str) -> dict[str, Any]:
    return copied_view(Answering(), RUN.id, query)  # type: ignore[arg-type]


def test_a_row_has_copies_of_how_many_with_the_interval_since_when_and_the_rank() -> None:
    words = plain(board(copied(RUN, 1763, limit=20), None))
    assert "At τ = 1,763, 233 of 384 samples copy 64 of 64 distinct training images." in words
    assert re.search(r"image 0 4 of 384 0\.3 to 2\.6 %since τ = 119 · typicality rank \d+ of 64", words)
    assert "The first 20 of 64; all in the CSV." in words


def test_chance_control_and_correlation_stand_beside_the_board_with_what_they_leave_out() -> None:
    words = plain(board(copied(RUN, 1763), None))
    assert "each would be 3.64 times (0 to 8 at 95 %), the most copied at most 11 times" in words
    assert re.search(r"Held-out control 0 % \(under 0\.4 %\) of 1,000\. It copies nothing\.", words)
    assert re.search(r"Rank correlation .*: −?0\.\d\d \(−?0\.\d\d to −?0\.\d\d at 95 %, 64 images\); ", words) and CAVEAT in words
    assert re.search(r"Of the 233 samples nearest to a training image, whatever their gap ratio: −?0\.\d\d \(", words)


def test_without_a_copy_no_image_is_on_the_board_and_chance_has_nothing_to_say() -> None:
    words = plain(board(copied(RUN, 5), None))
    assert "0 of 384 copied at τ = 5: no image is on the board." in words
    assert "Chance:" not in words and "nearest other image: none, no image is copied." in words


def test_checkpoints_that_are_not_measured_are_named_with_the_reason() -> None:
    run = world.stale().runs[1]
    words = plain(board(copied(run, 119), None))
    assert "Not measured: τ = 178: diverged." in words
    assert "Not measured: τ = 266: its samples are still to be drawn." in words
    assert "training has not come this far" in words


def test_the_chosen_image_is_marked_and_told_of_with_its_history() -> None:
    found = view(step="1763", train="29")
    assert found["images"][:2] == [0, 5] and len(found["images"]) == 20
    words = plain(found["about"])
    assert "Training image 29 at τ = 1,763: 4 of 384 copied: 1.0 % (0.3 to 2.6 %)." in words
    assert "First copied at τ = 397 and not at 266 before it; by 5 seeds at 8 of 19 measured checkpoints." in words
    assert "1 being the most typical" in words and "Control: 0 of 1,000 held-out images would count as copies of it." in words
    assert re.findall(r'data-train="(\d+)"[^>]*aria-pressed="true"', found["board"]) == ["29"]
    below = next(image for image in range(64) if image not in found["images"])
    assert 'aria-pressed="true"' not in view(step="1763", train=str(below))["board"], "it is not among the first twenty"


def test_where_it_is_not_copied_a_button_leads_to_where_it_first_is() -> None:
    found = copied(RUN, 119, image=29)
    words = about(found, found.items[0])
    assert "0 of 384 copied, under 1.0 % at 95 %" in words and 'data-step="397"' in words and "data-clear" in words


def test_an_image_that_equals_others_says_so_and_one_without_typicality_says_why() -> None:
    found = copied(RUN, 1763, limit=1)
    lone = dict.fromkeys(("nearest_image", "nearest_distance", "typicality_rank", "held_out_nearest", "held_out_copies"))
    changed = found.items[0].model_copy(update=lone | {"equal_images": 3})
    large = found.model_copy(update={"items": (changed,), "typicality_missing": "the training set is too large", "n_held_out": None})
    assert "3 equal images" in board(large, None) and "rank" not in plain(board(large, None)).partition("Chance")[0]
    assert "The training set is too large." in about(large, changed)
    assert "no held-out images were compared" in board(large, None)


@pytest.mark.parametrize(("query", "region"), [({"step": "6"}, "board"), ({"step": "1763", "train": "640"}, "about")])
def test_what_is_not_found_is_said_in_its_place_and_escaped(query: dict[str, str], region: str) -> None:
    found = view(**query)
    assert "Nothing at" in found[region] and "&lt;b&gt;" in found[region]
    assert found["board"]
