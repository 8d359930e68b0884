"""What is kept is kept for a reason that holds, and nothing else is kept."""

from tauscope.analysis.retention import reasons_to_keep
from tauscope.contracts.onsets import OnsetStatus
from tests.analysis.test_recommendation import GEN, MEM, POINTS, onset

STEPS = [50, 100, 150, 200, 300, 400, 500, 600, 700]
ONSETS = {"tau_gen": GEN, "tau_mem": MEM}


def kept(**options: object) -> dict[int, tuple[str, ...]]:
    settings = {"onsets": ONSETS} | options
    return {step: why for step, why in reasons_to_keep(STEPS, POINTS, **settings).items() if why}  # type: ignore[arg-type]


def test_last_two_recommended_and_those_around_the_onsets_are_kept_and_no_other() -> None:
    assert kept() == {
        50: ("around tau_gen",),
        100: ("around tau_gen",),
        200: ("recommended",),
        400: ("around tau_mem",),
        500: ("around tau_mem",),
        600: ("resume",),
        700: ("resume",),
    }


def test_every_checkpoint_is_answered_for() -> None:
    assert sorted(reasons_to_keep(STEPS, POINTS, ONSETS)) == STEPS


def test_a_pinned_and_an_awaited_checkpoint_are_kept_only_where_there_is_one() -> None:
    found = kept(pinned=[150, 151], awaited=[300])
    assert found[150] == ("pinned",) and found[300] == ("awaits its evaluation",)
    assert 151 not in found


def test_only_measured_checkpoints_enclose_an_onset() -> None:
    found = kept(onsets={"tau_gen": onset("loss_held_out@100", low=150, high=160), "tau_mem": MEM})
    assert "around tau_gen" in found[100] and "around tau_gen" in found[200]
    assert 150 not in found


def test_an_onset_that_was_not_reached_keeps_the_last_checkpoint_before_which_it_cannot_lie() -> None:
    found = kept(onsets={"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=300)})
    assert found[300] == ("around tau_mem",)
    assert 400 not in found


def test_while_a_run_goes_on_all_that_may_enclose_an_onset_to_come_is_kept() -> None:
    censored = {"tau_gen": GEN, "tau_mem": onset("f_mem", OnsetStatus.CENSORED, low=300)}
    assert set(kept(onsets=censored, over=False)) == {50, 100, 300, 400, 500, 600, 700}
    assert set(kept(onsets={}, over=False)) == set(STEPS)
    assert set(kept(over=False)) == set(kept())


def test_what_a_resume_needs_is_counted_from_where_it_starts() -> None:
    found = kept(onsets={}, resume_from=300)
    assert found == {200: ("resume",), 300: ("resume",), 400: ("resume",), 500: ("resume",), 600: ("resume",), 700: ("resume",)}
    assert list(kept(onsets={})) == [600, 700]
