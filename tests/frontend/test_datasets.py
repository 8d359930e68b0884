"""Cards of data sets, and what is said of a run's images before, beside and after it."""

from backend.services import catalogue
from frontend.charts.groups import group_runs
from frontend.form.form import make_form
from frontend.launch_source import source_of
from frontend.markup.datasets import dataset_cards, register_form
from frontend.markup.launch import plan_summary
from frontend.markup.run import data_set
from frontend.markup.side import notices
from frontend.theme import LIGHT
from tauscope.contracts.datasets import DataRemarks, TwinImages
from tauscope.contracts.experiments import Plan, PlannedRun
from tests.frontend import fake_world
from tests.frontend.fake_datasets import DOUBLED, UPLOADED

LEAK = "12 of 1,000 held-out images equal a training image (12 in every byte, 0 nearly): the control is not clean"


def test_a_card_names_licence_duplicates_and_who_uses_it() -> None:
    clean, doubled = dataset_cards([UPLOADED]), dataset_cards([DOUBLED])
    for words in (
        "1,204 images",
        "2 classes",
        "internal, not to be passed on",
        "cite the ethics vote",
        "none found",
        "used by 3 experiments",
    ):
        assert words in clean
    for words in ("2 of 1,204 images cannot be read", "12 images equal another in every byte", "31 images have a near duplicate"):
        assert words in doubled and words not in clean
    assert 'data-remove="faces"' in doubled and "/launch?data=faces" in doubled


def test_a_set_that_is_not_here_shows_the_remedy_instead_of_images() -> None:
    away = UPLOADED.model_copy(update={"available": False, "remedy": "Mount <the> disk", "registered": False})
    card = dataset_cards([away])
    assert "Mount &lt;the&gt; disk" in card and "<img" not in card and "Launch on it" not in card and "Remove" not in card


def test_a_large_set_says_that_nobody_has_looked_for_duplicates_yet() -> None:
    unread = UPLOADED.model_copy(update={"n_unreadable": None, "n_equal": None, "n_near": None})
    assert "the first run looks for damaged and double ones" in dataset_cards([unread]) and "none found" not in dataset_cards([unread])


def test_every_input_of_the_form_has_a_label_and_a_place_for_its_fault() -> None:
    form = register_form()
    for name in ("name", "file", "path", "description", "licence", "attribution"):
        assert f'for="register-{name}"' in form and f'id="register-{name}"' in form
    assert 'data-fault="name"' in form and 'data-fault="path"' in form


def test_the_plan_shows_what_is_double_and_still_offers_the_launch() -> None:
    pair = TwinImages(part="held_out", first=3, second=7, rms=None, picture="data:image/png;base64,AAAA")
    data = DataRemarks(remarks=(LEAK,), pairs=(pair,))
    runs = [PlannedRun(index=i, label=f"n={i}", params={"n_train": 8 + i}, spec={}, cost=1.0, data=data) for i in range(2)]
    summary = plan_summary(Plan(sweep={}, runs=tuple(runs)))
    assert summary.count(LEAK) == 1, "the same words of every run are said once"
    assert 'alt="held-out image 3, training image 7: equal"' in summary and "2 runs" in summary


def test_the_watch_page_warns_once_and_names_the_runs() -> None:
    experiment = fake_world.finished()
    runs = tuple(run.model_copy(update={"remarks": (LEAK,)}) for run in experiment.runs)
    told = "".join(notices(experiment.model_copy(update={"runs": runs}), group_runs(experiment.model_copy(update={"runs": runs}), LIGHT)))
    assert told.count("the control is not clean") == 1 and "Data of n = 16, n = 32" in told


def test_the_run_names_its_data_set_also_where_that_is_an_axis() -> None:
    experiment = fake_world.finished()
    run = experiment.runs[0]
    assert data_set(experiment, run) == "digits"
    assert data_set(experiment, run.model_copy(update={"params": {"dataset.name": "faces"}})) == "faces"


def test_an_address_may_name_the_data_set_to_launch_on() -> None:
    assert source_of({"data": "faces"}, [], []).key == "data:faces"


def test_what_the_service_fills_in_is_no_field_of_the_form() -> None:
    kind = next(kind for kind in catalogue.kinds(["faces"]) if kind.name == "image_ddpm")
    form = make_form(kind, {"name": "x", "base": kind.defaults}, {"name": "x", "base": kind.defaults}, {})
    paths = {field.path for field in form.fields}
    assert "dataset.duplicates" in paths and not [path for path in paths if "registered" in path]
    name = next(field for field in form.fields if field.path == "dataset.name")
    assert name.shape.options[:2] == ("faces", "digits")
