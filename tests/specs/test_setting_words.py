"""What a sweep changes, in words: the form's own labels and units, and no path of a field."""

import pytest

from tauscope.specs import load_preset, preset_names
from tauscope.specs.setting_words import setting_words, uncapitalized


def told(preset: str) -> list[str]:
    runs = load_preset(preset).sweep.resolve()
    return list(
        dict.fromkeys(setting_words(run.spec, {name: value for name, value in run.params.items() if name != "seed"}) for run in runs)
    )


def test_an_intervention_is_told_by_the_labels_of_its_form_with_defaults_and_units() -> None:
    words = told("digits-interventions")
    assert "Fourier features: scale s 1, frequencies 16" in words
    assert "High-frequency penalty: cut-off 3 cycles per image, edge 1 cycles per image, weight 3" in words
    assert {"First trained index 20", "Weight decay 0.5", "Dropout 0.2"} <= set(words)
    assert any(item.startswith("Forward process cosine") for item in words)


@pytest.mark.parametrize("preset", preset_names())
def test_no_path_and_no_json_stands_in_the_words_of_any_preset(preset: str) -> None:
    assert not [item for item in told(preset) if "=" in item or "{" in item or "network." in item]


def test_a_name_that_is_no_field_stands_as_it_is() -> None:
    assert setting_words(load_preset("gmm-minute").sweep.base, {"gone": 3}) == "gone=3"


def test_words_within_a_sentence_lose_the_capital_of_a_plain_word_alone() -> None:
    assert [uncapitalized(item) for item in ("Weight decay 0.5", "ddim_eta 1", "U exact", "SGD")] == [
        "weight decay 0.5",
        "ddim_eta 1",
        "U exact",
        "SGD",
    ]
