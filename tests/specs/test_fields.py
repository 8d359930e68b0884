"""The fields of a spec by their titles, for whoever reads two of them beside each other."""

from tauscope.specs import load_preset
from tauscope.specs.fields import FieldValue, field_values, raw_values


def fields() -> dict[str, FieldValue]:
    return {item.path: item for item in field_values(load_preset("digits-demo").sweep.base)}


def test_every_leaf_of_the_document_is_a_field_under_the_titles_of_its_form() -> None:
    found = fields()
    assert found["dataset.n_train"].title == "Data · Training images n"
    assert found["dataset.n_train"].unit == "images"
    assert found["measurement.sampler.steps"].title == "Measurement · Sampler · Sampling steps"
    stored = load_preset("digits-demo").sweep.base.model_dump(mode="json")
    assert {item.path for item in raw_values(stored)} == set(found)


def test_a_tagged_object_is_called_by_the_title_of_its_field() -> None:
    assert fields()["optimizer.name"] == FieldValue("optimizer.name", "Optimizer", "", "adam")


def test_a_document_that_is_no_spec_is_listed_under_its_paths() -> None:
    assert raw_values({"data": {"n": 3}, "seed": 1}) == [FieldValue("data.n", "data.n", "", 3), FieldValue("seed", "seed", "", 1)]
