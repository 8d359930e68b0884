"""The interventions page: every setting a row, with intervals and counts, and a tab where there are settings to compare."""

from frontend.interventions_view import interventions_view
from frontend.markup.alternative import plain
from frontend.markup.header import header
from tauscope.specs.setting_words import uncapitalized
from tests.frontend import fake_interventions as fake
from tests.frontend import fake_world as world

VIEW = fake.moved("interventions")


def test_every_setting_is_a_row_and_what_was_measured_again_too() -> None:
    found = fake.compared(VIEW)
    shown = interventions_view(VIEW, found)
    assert len(found.settings) == 11 and str(shown["table"]).count("<tr") == 12
    words = plain(shown["table"])
    for setting in (
        "as it is",
        "Forward process log-SNR",
        "High-frequency penalty: cut-off 3 cycles per image",
        "Weight decay 0.5",
        "projection on step 118 (at sampling)",
    ):
        assert setting in words
    assert words.count("of 256 each") == 11 and "not by 450 (3 of 3)" in words
    assert "nothing was trained for them" in words


def test_the_finding_names_the_settings_that_copy_least_and_most_with_intervals() -> None:
    found = fake.compared(VIEW)
    words = plain(interventions_view(VIEW, found)["finding"])
    most = max(found.settings, key=lambda row: row.f_mem.value or 0)
    assert (
        words.startswith("At τ 450, of 11 settings: ")
        and f"and {uncapitalized(most.setting)} most, " in words
        and " (at sampling) copies least, " in words
    )
    assert words.count(" to ") == 2


def test_without_samples_the_page_says_what_is_missing() -> None:
    view = world.finished("demo")
    shown = interventions_view(view, fake.compared(view))
    assert plain(shown["finding"]) == "Nothing to compare: a run has no f_mem yet."


def test_the_tab_is_there_only_where_runs_differ_in_more_than_n_w_and_seed() -> None:
    assert "/interventions?" in str(header(VIEW, tab="experiment"))
    assert "/interventions?" not in str(header(world.finished("demo"), tab="experiment"))
