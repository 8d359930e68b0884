"""The words and pieces of pages."""

from re import findall
from typing import Any

import pytest

from frontend.charts.groups import group_runs
from frontend.charts.rail import state_words
from frontend.markup.experiments import experiment_rows, mini_rail, storage_line
from frontend.markup.finding import finding
from frontend.markup.header import header
from frontend.markup.html import signed, tag, text
from frontend.markup.keep import keep_card
from frontend.markup.run import run_regions
from frontend.markup.settings import settings_text
from frontend.markup.side import focus_card, notices, onset_table
from frontend.markup.state import status_of, time_left
from frontend.theme import LIGHT
from frontend.words import duration, number, percent, share_of_samples
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.retention import Recommendation, RunCheckpoints
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.storage import StorageView
from tests.frontend import fake_forecasts, fake_history
from tests.frontend import fake_world as world
from tests.frontend.fake_api import RECOMMENDED, WARNED
from tests.frontend.fake_states import stopped_by_policy


def nothing_to_keep(run: RunView) -> RunCheckpoints:
    nothing = Recommendation(step=None, reason="tau_gen was not reached: quality never reached by 450")
    return RunCheckpoints(run_id=run.id, recommendation=nothing, checkpoints=())


def found(experiment: ExperimentView) -> str:
    return finding(experiment, group_runs(experiment, LIGHT))


def test_text_from_outside_cannot_become_markup() -> None:
    assert text("<script>") == "&lt;script&gt;"
    assert tag("a", "x", title='"><img>') == '<a title="&quot;&gt;&lt;img&gt;">x</a>'
    hostile = world.finished().model_copy(update={"name": "<img src=x onerror=alert(1)>"})
    assert "<img" not in experiment_rows([hostile], total=1, filtered=False, palette=LIGHT)


def test_no_copies_are_reported_with_their_upper_bound() -> None:
    assert share_of_samples(0, 384, 0.0, 3.7 / 384) == "0 of 384 copied, under 1.0 % at 95 %"


@pytest.mark.parametrize(("value", "words"), [(1360.4, "1,360"), (38.02, "38"), (0.5471, "0.547"), (3.0, "3"), (0, "0"), (1e-4, "0.0001")])
def test_numbers_carry_three_digits(value: float, words: str) -> None:
    assert number(value) == words


def test_shares_and_spans_are_written_for_people() -> None:
    assert percent(0.0012) == "0.1 %"
    assert percent(0.39) == "39 %"
    assert duration(106) == "1 min 46 s"


def test_the_list_tells_the_space_taken_and_warns_where_the_quota_is_nearly_used_up() -> None:
    assert "1.5 GB of 2.0 GB of artifacts" in storage_line(StorageView(bytes_used=1_500_000_000, quota_bytes=2_000_000_000))
    assert 'role="status"' in storage_line(StorageView(bytes_used=9, quota_bytes=10, warning="90% of the quota is used"))
    assert storage_line(StorageView()) == ""


def test_the_finding_names_both_clocks_and_the_interval_of_the_exponent() -> None:
    words = found(world.finished())
    assert "Quality arrives at τ ≈ 31 for every n." in words
    assert "1.06" in words
    assert "(1.01 to 1.12)" in words


def test_the_finding_says_for_which_n_an_onset_was_never_reached() -> None:
    assert "never for n = 16" in found(world.never_good())


def test_an_unreached_onset_stands_in_the_table_as_words_without_a_number_of_its_own() -> None:
    experiment = world.never_good()
    table = onset_table(experiment, world.curves_of(experiment), group_runs(experiment, LIGHT), None)
    assert "not by 450" in table
    assert "censored" in table


def test_tau_test_stands_beside_the_onsets_with_its_interval_or_in_words() -> None:
    def table(experiment: ExperimentView) -> str:
        return onset_table(experiment, world.curves_of(experiment), group_runs(experiment, LIGHT), None)

    assert "<b>95</b>" in table(world.finished()) and "57 to 162" in table(world.finished())
    assert "no rise by 20" in table(world.live(step=20))


def test_the_miniature_rail_draws_reached_onsets_alone() -> None:
    experiment = world.never_good()
    rail = mini_rail(group_runs(experiment, LIGHT))
    assert rail.count("<circle") == 1
    assert rail.count("var(--tau-memorization)") == 1


def test_a_failed_run_carries_its_reason_and_remedy() -> None:
    experiment = world.failed()
    (notice,) = notices(experiment, group_runs(experiment, LIGHT))
    assert "n = 32 failed at τ 640" in notice
    assert "Use a lower learning rate" in notice


def test_a_run_whose_images_are_being_prepared_does_not_look_like_one_that_stalls() -> None:
    experiment = world.live(step=0)
    told = "prepares the images of its data set: 34 % of 202,599"
    runs = tuple(run.model_copy(update={"reason": told, "steps_per_second": None}) for run in experiment.runs)
    experiment = experiment.model_copy(update={"runs": runs})
    (first, *_) = notices(experiment, group_runs(experiment, LIGHT))
    assert "does not train yet" in first and "Prepares the images of its data set: 34 % of 202,599." in first


def test_a_trained_run_says_which_checkpoint_it_samples_and_why() -> None:
    experiment = world.live(step=100_000)
    told = "refines tau_mem (411 to 994, a factor of 2.42): draws the samples of step 630, 1 of at most 8 further checkpoints"
    runs = tuple(run.model_copy(update={"reason": told, "state": RunState.RUNNING}) for run in experiment.runs)
    experiment = experiment.model_copy(update={"runs": runs, "state": RunState.RUNNING})
    (first, *_) = notices(experiment, group_runs(experiment, LIGHT))
    assert "is trained and not yet finished" in first and "411 to 994, a factor of 2.42" in first and "step 630" in first


def test_the_settings_say_where_images_are_in_colour() -> None:
    experiment = world.live(step=20)
    data = experiment.sweep["base"]["dataset"]
    coloured = experiment.sweep["base"] | {"dataset": data | {"colour": True}}
    assert settings_text(experiment)[0] == "digits 8×8"
    assert settings_text(experiment.model_copy(update={"sweep": experiment.sweep | {"base": coloured}}))[0] == "digits 8×8 in colour"


def test_silence_of_a_running_experiment_is_a_state_of_its_own() -> None:
    status = status_of(world.stale())
    assert status.stale
    assert status.title == "No news for 4 min"


def test_time_left_is_not_made_up_while_runs_wait() -> None:
    experiment = world.live(step=700)
    assert time_left(experiment).startswith("about")
    waiting = (*experiment.runs[:2], experiment.runs[2].model_copy(update={"state": RunState.QUEUED}))
    assert time_left(experiment.model_copy(update={"runs": waiting})) == ""


def test_the_focus_card_gives_the_window_the_copies_and_the_control() -> None:
    card = focus_card(group_runs(world.finished(), LIGHT)[-1])
    assert "τ 36 to 940" in card
    assert "of 384 copied" in card
    assert "held-out control 0.1 % (0 to 0.5 %) of 1,000" in card


def test_the_focus_card_says_from_which_onsets_the_window_opens_and_closes() -> None:
    card = focus_card(group_runs(world.finished(), LIGHT)[-1])
    assert "opens at the upper end of τ<sub>gen</sub> 31 (27 to 36), closes at the lower end of τ<sub>mem</sub> 1,000 (940 to " in card
    running = focus_card(group_runs(world.live(step=600), LIGHT)[-1])
    assert "opens at the upper end of" in running and "closes at" not in running


def test_the_names_of_the_clocks_in_words_of_the_library_are_written_as_on_the_page_and_the_rest_is_escaped() -> None:
    assert signed("tau_mem <b> f_mem_control") == "τ<sub>mem</sub> &lt;b&gt; f_mem_control"


def test_the_focus_card_names_the_checkpoint_to_keep_with_its_numbers_and_the_reason() -> None:
    group = group_runs(world.finished(), LIGHT)[-1]
    found = RunCheckpoints(run_id=group.runs[0].id, recommendation=RECOMMENDED, checkpoints=fake_history.checkpoints())
    card = focus_card(group, found)
    assert ">Keep τ 411</a><div>quality 0.339 (0.332 to 0.346)</div><div>0 of 384 copied, under 1.0 % at 95 %</div>" in card
    assert "<div>37 % of τ<sub>mem</sub> (31 to 44 %)</div>" in card
    assert "The best quality between τ<sub>gen</sub> (by 36) and τ<sub>mem</sub> (from 940)." in card
    assert 'href="/api/v1/runs/demor2/checkpoints/411.zip" download="" ' in card and ">Download it, 1.2 MB</a>" in card
    pruned = focus_card(group, found.model_copy(update={"checkpoints": ()}))
    assert "Its weights were pruned" in pruned and "Download it" not in pruned
    nothing = found.model_copy(update={"recommendation": RECOMMENDED.model_copy(update={"step": None})})
    assert "Keep" not in focus_card(group, nothing)


def test_a_run_that_its_policy_stopped_says_so_beside_the_chart() -> None:
    view = stopped_by_policy("policy")
    (told,) = notices(view, group_runs(view, LIGHT))
    assert "n = 16 was stopped by its policy" in told and "f<sub>mem</sub> 55 of 384 (11 to 18 %)" in told


def test_of_many_runs_that_a_policy_stopped_two_are_told_and_the_others_stand_behind_one_line() -> None:
    view = stopped_by_policy("policy")
    run = next(run for run in view.runs if run.verdict)
    runs = tuple(run.model_copy(update={"id": f"r{seed}", "params": run.params | {"seed": seed}}) for seed in range(9))
    told = notices(view.model_copy(update={"runs": runs}), group_runs(view.model_copy(update={"runs": runs}), LIGHT))
    assert len(told) == 3 and told[2].startswith("<details") and "and 7 more" in told[2]
    assert "".join(told).count("was stopped by its policy") == 9


def test_the_card_of_a_run_says_what_to_keep_or_why_nothing_and_what_its_last_checkpoint_warns_of() -> None:
    run = world.finished().runs[0]
    card = keep_card(run, RunCheckpoints(run_id=run.id, recommendation=RECOMMENDED, warnings=WARNED, checkpoints=()))
    for told in (
        "Keep τ 411",
        "0 of 384 copied",
        "37 % of τ<sub>mem</sub> (31 to 44 %)",
        "At 1,100: relative loss gap at index 100 46 % (44 to 48 %), above 10 %.",
    ):
        assert told in card
    assert "None: τ<sub>gen</sub> was not reached: quality never reached by 450." in keep_card(run, nothing_to_keep(run))


def test_a_run_that_has_just_begun_foretells_no_end_and_has_no_window_yet() -> None:
    young = world.live(step=14)
    assert time_left(young) == ""
    assert all(" left" not in state_words(run) for run in young.runs)
    assert "No window yet" in focus_card(group_runs(young, LIGHT)[-1])


def test_a_paused_experiment_says_so_and_offers_to_go_on() -> None:
    view = world.paused(world.live(step=300))
    status = status_of(view)
    assert (status.title, status.stale) == ("Paused", False)
    assert "by their owner at τ = " in status.detail
    words = header(view, tab="experiment")
    assert 'data-action="resume"' in words and 'data-action="stop"' in words and 'data-action="pause"' not in words
    assert "never" not in found(view), "what is not reached may still be"


def test_a_running_experiment_offers_to_pause_and_one_that_is_over_only_to_train_further() -> None:
    running, over = header(world.live(step=300), tab="experiment"), header(world.finished(), tab="experiment")
    assert 'data-action="pause"' in running and 'data-action="resume"' not in running
    assert findall(r'data-action="(\w+)"', over) == ["extend"]


def test_a_run_that_mixes_code_versions_says_which_steps_are_whose() -> None:
    view = world.finished()
    mixed = view.runs[0].model_copy(update={"code_note": "steps up to 40 computed by a, later ones by b"})
    view = view.model_copy(update={"runs": (mixed, *view.runs[1:])})
    shown = "".join(notices(view, group_runs(view, LIGHT)))
    assert "mixes code versions" in shown and "steps up to 40 computed by a" in shown


def page_of(*found: Any, **more: Any) -> str:
    """The whole page of a run."""
    return "".join(run_regions(*found, **{"curves": world.curves_of(found[0])} | more).values())


def test_what_queued_runs_wait_for_is_told_once_with_every_run_that_waits() -> None:
    view = world.queued()
    reason = "no worker serves the queue 'gpu'; start one with TAUSCOPE_QUEUES=gpu"
    runs = tuple(run.model_copy(update={"waiting": reason, "queue": "gpu"}) for run in view.runs)
    view = view.model_copy(update={"runs": runs})
    shown = "".join(notices(view, group_runs(view, LIGHT)))
    assert shown.count("start one with TAUSCOPE_QUEUES=gpu") == 1
    assert shown.count("n = ") == len(runs)
    history = page_of(view, runs[0], (), (), checkpoints=nothing_to_keep(runs[0]), foretold=fake_forecasts.of_run(runs[0]))
    assert "queue gpu" in history and "No worker serves the queue" in history


def test_a_runs_history_tells_worker_rewind_and_reason_and_folds_the_traceback() -> None:
    view = world.live(step=150)
    run = view.runs[1]
    told = {"checkpoints": nothing_to_keep(run), "foretold": fake_forecasts.of_run(run)}
    words = page_of(view, run, fake_history.attempts(), fake_history.events(), **told)
    for told in ("held by laptop", "lost: its worker did not renew the lease", "<td>100 to 150</td><td>7</td><td>goes on</td>"):
        assert told in words
    assert "<details><summary>in trouble</summary><pre>Traceback &lt;last&gt;</pre></details>" in words


def test_pages_of_windows_say_that_it_is_open_research_and_show_no_page_of_images_alone() -> None:
    view = world.finished()
    base = {**view.sweep["base"], "kind": "timeseries"}
    words = header(view.model_copy(update={"sweep": {**view.sweep, "base": base}}), tab="experiment")
    assert "Open research" in words and "Open research" not in header(view, tab="experiment")
    assert ">Inspect<" in words and ">Probes<" not in words and ">Spectrum<" not in words
