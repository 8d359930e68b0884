"""A series is read as it stands, and what is wrong with it is named by row and column with what can be done."""

from pathlib import Path

import numpy as np
import pytest

from tauscope.datasets.series import SERIES, load_windows, series_problems
from tauscope.datasets.series.missing import without_gaps
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.series.sampling import evenly_sampled
from tauscope.datasets.series.source import OwnSeries
from tauscope.datasets.series.ts_series import read_ts
from tauscope.datasets.series.windows import take_windows
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

HOURLY = [f"2024-01-{1 + i // 24:02d}T{i % 24:02d}:00:00Z" for i in range(48)]


def csv_of(folder: Path, *, header: str = "time,a,b", rows: list[str] | None = None) -> Path:
    file = folder / "own.csv"
    given = [f"{time},{i},{i * i}" for i, time in enumerate(HOURLY)] if rows is None else rows
    file.write_text("\n".join([header, *given]))
    return file


def spec_of(file: Path, **more: object) -> SeriesSpec:
    return SeriesSpec.model_validate({"name": "series", "path": str(file), **more})


def read(file: Path, **more: object) -> RawSeries:
    return OwnSeries().open(spec_of(file, **more))


def even(file: Path, **more: object) -> RawSeries:
    spec = spec_of(file, **more)
    return without_gaps(evenly_sampled(OwnSeries().open(spec), spec), spec)


def test_columns_times_and_line_numbers_come_from_the_file(tmp_path: Path) -> None:
    found = read(csv_of(tmp_path))
    assert found.channels == ("a", "b")
    assert found.values[3].tolist() == [3.0, 9.0]
    assert found.rows[0] == 2
    assert np.diff(found.times).tolist() == [3600.0] * 47
    assert found.time_column == "time"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_part_columns_too(tmp_path: Path, delimiter: str) -> None:
    file = csv_of(tmp_path)
    expected = read(file).values
    file.write_text(file.read_text().replace(",", delimiter))
    np.testing.assert_array_equal(read(file).values, expected)


def test_named_channels_are_taken_in_the_order_named(tmp_path: Path) -> None:
    found = read(csv_of(tmp_path), channels=("b", "a"))
    assert found.channels == ("b", "a")
    assert found.values[3].tolist() == [9.0, 3.0]


@pytest.mark.parametrize("marker", ["", "NA", "nan", "NULL", "?"])
def test_empty_cells_and_the_usual_words_are_missing_values(tmp_path: Path, marker: str) -> None:
    found = read(csv_of(tmp_path, rows=[f"{HOURLY[0]},1,{marker}", f"{HOURLY[1]},2,5"]))
    assert np.isnan(found.values[0, 1])
    assert found.values[1].tolist() == [2.0, 5.0]


BROKEN_CSV = {
    "text in a cell": (
        "time,a,b",
        [f"{HOURLY[0]},1,2", f"{HOURLY[1]},1,wet"],
        ("row 3, column b", "'wet'", "1 of 2 cells"),
        "dataset.channels",
    ),
    "a column of text": (
        "time,place,a,b",
        [f"{HOURLY[0]},JFK,1,2", f"{HOURLY[1]},JFK,1,2"],
        ("column place", "'JFK'", "[a, b]"),
        "dataset.channels",
    ),
    "one column": ("a", ["1", "2"], ("one column of numbers (a)", "set dataset.channels to [a]"), "dataset.channels"),
    "times alone": ("time", [HOURLY[0], HOURLY[1]], ("a column of times alone and none of numbers",), "dataset.channels"),
    "one column beside the time": ("time,a", [f"{HOURLY[0]},1", f"{HOURLY[1]},2"], ("one column of numbers (a)",), "dataset.channels"),
    "a short row": ("time,a,b", [f"{HOURLY[0]},1,2", f"{HOURLY[1]},1"], ("row 3", "2 cells", "3 columns"), "dataset.path"),
    "no names": ("1,2,3", ["4,5,6", "7,8,9"], ("row 1", "no names"), "dataset.path"),
    "a name twice": ("time,a,a", [f"{HOURLY[0]},1,2"], ("'a' more than once",), "dataset.path"),
    "no rows": ("time,a,b", [], ("1 rows",), "dataset.path"),
    "no time": ("time,a,b", [f"{HOURLY[0]},1,2", "yesterday,1,2"], ("row 3, column time", "'yesterday'"), "dataset.time"),
    "times out of order": (
        "time,a,b",
        [f"{HOURLY[1]},1,2", f"{HOURLY[0]},1,2"],
        ("row 3, column time", "does not come after", "a file of its own"),
        "dataset.time",
    ),
}


@pytest.mark.parametrize("fault", BROKEN_CSV)
def test_a_broken_file_is_named_by_row_and_column_with_a_remedy(tmp_path: Path, fault: str) -> None:
    header, rows, words, field = BROKEN_CSV[fault]
    (problem,) = series_problems(spec_of(csv_of(tmp_path, header=header, rows=rows)))
    assert problem.path == field
    for word in words:
        assert word in str(problem)


def test_one_column_is_taken_where_it_is_named(tmp_path: Path) -> None:
    assert read(csv_of(tmp_path), channels=("b",)).values.shape == (48, 1)


@pytest.mark.parametrize(("more", "word"), [({"channels": ("c",)}, "Choose from a, b"), ({"time": "when"}, "Choose from time, a, b")])
def test_a_column_that_is_not_there_lists_those_that_are(tmp_path: Path, more: dict[str, object], word: str) -> None:
    (problem,) = series_problems(spec_of(csv_of(tmp_path), **more))
    assert word in problem.remedy


def with_an_hour_absent(folder: Path) -> Path:
    return csv_of(folder, rows=[f"{time},{i},{2 * i}" for i, time in enumerate(HOURLY) if i != 10])


def test_unequal_sampling_names_the_row_and_three_ways_out(tmp_path: Path) -> None:
    (problem,) = series_problems(spec_of(with_an_hour_absent(tmp_path)))
    assert problem.path == "dataset.sampling"
    assert "row 12, column time of own.csv (2024-01-01T11:00:00Z) comes 7200 s" in problem.message
    assert "1 of 46 intervals differ" in problem.message
    assert all(way in problem.remedy for way in ("grid", "resample", "rows"))


def test_on_a_grid_an_absent_row_is_missing_and_counted(tmp_path: Path) -> None:
    found = evenly_sampled(read(with_an_hour_absent(tmp_path)), spec_of(tmp_path, sampling="grid"))
    assert found.values.shape == (48, 2)
    assert np.flatnonzero(np.isnan(found.values).any(1)).tolist() == [10]
    assert found.remarks == ("1 of 48 steps are absent in own.csv and stand as missing values",)


def test_resampled_rows_lie_on_the_line_between_their_neighbours_and_are_counted(tmp_path: Path) -> None:
    found = even(with_an_hour_absent(tmp_path), sampling="resample")
    assert found.values[10].tolist() == [10.0, 20.0]
    assert "1 of 48 steps are interpolated" in found.remarks[0]


def test_resampling_does_not_reach_across_a_missing_value(tmp_path: Path) -> None:
    rows = [f"{time},{i},{'' if i == 9 else 2 * i}" for i, time in enumerate(HOURLY) if i != 10]
    found = even(csv_of(tmp_path, rows=rows), sampling="resample", missing="drop")
    assert np.flatnonzero(np.isnan(found.values[:, 1])).tolist() == [9, 10]


def test_rows_may_be_taken_as_they_stand(tmp_path: Path) -> None:
    assert even(with_an_hour_absent(tmp_path), sampling="rows").values.shape == (47, 2)


def test_a_row_between_two_steps_of_the_grid_is_named(tmp_path: Path) -> None:
    rows = [f"{time},{i},{i}" for i, time in enumerate(HOURLY)]
    rows[5] = "2024-01-01T05:10:00Z,5,5"
    with pytest.raises(DatasetError, match=r"row 7, column time .* lies between two steps of 3600; 1 rows do") as caught:
        even(csv_of(tmp_path, rows=rows), sampling="grid")
    assert "resample" in caught.value.remedy


def test_without_a_column_of_times_rows_are_taken_as_even_and_that_is_said(tmp_path: Path) -> None:
    found = even(csv_of(tmp_path, header="a,b", rows=[f"{i},{i * i}" for i in range(9)]))
    assert "no column of times" in found.remarks[0]


def with_gaps(folder: Path) -> Path:
    """b is missing for one hour, then for three."""
    return csv_of(folder, rows=[f"{time},{i},{'' if i in (4, 20, 21, 22) else 2 * i}" for i, time in enumerate(HOURLY)])


def test_a_missing_value_names_row_column_and_how_many_more(tmp_path: Path) -> None:
    (problem,) = series_problems(spec_of(with_gaps(tmp_path)))
    assert problem.path == "dataset.missing"
    assert "row 6, column b of own.csv is missing; missing in all, of 48 steps: 4 of b" in problem.message
    assert "drop" in problem.remedy and "fill" in problem.remedy


def test_an_absent_row_is_named_by_the_row_above_it(tmp_path: Path) -> None:
    (problem,) = series_problems(spec_of(with_an_hour_absent(tmp_path), sampling="grid"))
    assert "a step after row 11 of own.csv is absent" in problem.message


def test_short_gaps_are_filled_on_a_line_and_counted_and_long_ones_stay(tmp_path: Path) -> None:
    found = even(with_gaps(tmp_path), missing="fill", fill_limit=2)
    assert found.values[4, 1] == 8.0
    assert np.flatnonzero(np.isnan(found.values[:, 1])).tolist() == [20, 21, 22]
    assert found.remarks == ("1 missing values are filled linearly across gaps of at most 2 steps: 1 of b",)


def test_gaps_at_either_end_are_not_filled(tmp_path: Path) -> None:
    rows = [f"{time},{i},{'' if i in (0, 47) else i}" for i, time in enumerate(HOURLY)]
    found = even(csv_of(tmp_path, rows=rows), missing="fill")
    assert np.flatnonzero(np.isnan(found.values[:, 1])).tolist() == [0, 47]


def test_arrays_hold_series_with_names_and_times(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((30, 3))
    file = tmp_path / "own.npz"
    moments = np.datetime64("2024-01-01T00:00") + np.arange(30) * np.timedelta64(1, "h")
    np.savez(file, values=values, channels=["x", "y", "z"], time=moments)
    found = read(file, channels=("z", "x"))
    np.testing.assert_array_equal(found.values, values[:, [2, 0]])
    assert found.dated and np.diff(found.times).tolist() == [3600.0] * 29


BROKEN_ARRAYS = {
    "three axes": ({"values": np.zeros((4, 4, 4))}, "no series of numbers with two axes"),
    "text": ({"values": np.array([["a", "b"]])}, "no series of numbers"),
    "one column": ({"values": np.zeros((9, 1))}, "one column"),
    "infinite": ({"values": np.array([[0.0, 1.0], [np.inf, 2.0]])}, "row 2, column 0"),
    "too few names": ({"values": np.zeros((9, 2)), "channels": np.array(["x"])}, "1 channels for 2 columns"),
    "too few times": ({"values": np.zeros((9, 2)), "time": np.arange(8.0)}, "no time for each of 9 rows"),
}


@pytest.mark.parametrize("fault", BROKEN_ARRAYS)
def test_arrays_that_are_no_series_are_refused(tmp_path: Path, fault: str) -> None:
    arrays, words = BROKEN_ARRAYS[fault]
    file = tmp_path / "own.npz"
    np.savez(file, **arrays)
    (problem,) = series_problems(spec_of(file))
    assert words in problem.message and problem.remedy


def test_a_damaged_file_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    damaged, unknown = tmp_path / "own.npz", tmp_path / "own.xlsx"
    damaged.write_bytes(b"PK\x03\x04 nothing")
    unknown.write_bytes(b"")
    assert "no intact" in series_problems(spec_of(damaged))[0].message
    assert ".csv, .tsv, .npz, .npy" in series_problems(spec_of(unknown))[0].remedy
    assert "no file" in series_problems(spec_of(tmp_path / "absent.csv"))[0].remedy
    assert series_problems(SeriesSpec(name="rain"))[0].path == "dataset.name"


def test_a_column_that_never_varies_is_named(tmp_path: Path) -> None:
    rows = [f"{i},7" for i in range(400)]
    spec = spec_of(csv_of(tmp_path, header="a,level", rows=rows), length=4, stride=4, n_train=8, n_held_out=32)
    with pytest.raises(DatasetError, match=r"column level of own.csv has one value, 7, on the training part"):
        load_windows(spec)


TS = """#Two recordings, three channels.
@problemName Walks
@timeStamps false
@classLabel true left right
@data
{}:0,1,0,1,0,1,0,1:5,?,5,6,7,8,9,9:left
10,11,12,13,14,15:0,1,0,1,0,1:5,5,6,7,8,9:right
"""


def ts_of(folder: Path, cells: str = "0,1,2,3,4,5,6,7", name: str = "Walks_TRAIN.ts") -> Path:
    file = folder / name
    file.write_text(TS.format(cells))
    return file


def test_recordings_of_a_ts_file_follow_one_another_and_tell_their_lines(tmp_path: Path) -> None:
    found = read(ts_of(tmp_path), channels=("dim_2", "dim_0"))
    assert found.channels == ("dim_2", "dim_0") and found.values[:, 1].tolist() == [*range(8), *range(10, 16)]
    assert np.flatnonzero(np.isnan(found.values[:, 0])).tolist() == [1]
    assert found.rows.tolist() == [6] * 8 + [7] * 6 and found.cuts.tolist() == [8]
    assert found.remarks[0].startswith("2 recordings of 6 to 8 steps")


def test_neither_a_window_nor_a_filled_value_reaches_from_one_recording_into_the_next(tmp_path: Path) -> None:
    file = ts_of(tmp_path, "0,1,2,3,4,5,6,?")
    filled = without_gaps(read(file), spec_of(file, missing="fill"))
    assert np.isnan(filled.values[7, 0]) and filled.values[1, 2] == 5
    files = [ts_of(tmp_path, name=f"Walks_{part}.ts") for part in ("TRAIN", "TEST")]
    series = read_ts(files * 40, spec_of(files[0]))
    found = take_windows(series, spec_of(files[0], length=4, stride=2, n_train=64, n_held_out=32, missing="drop"))
    begins = np.array([0, *series.cuts])
    for part in (found.train, found.held_out):
        offset = part.starts - begins[np.searchsorted(begins, part.starts, side="right") - 1]
        assert set(offset.tolist()) <= {0, 2, 4}


BROKEN_TS = {
    "text in a cell": ("0,1,2,3,4,5,6,wet", "row 6, column dim_0 of Walks_TRAIN.ts holds 'wet'"),
    "channels of unequal length": ("0,1", "row 6 of Walks_TRAIN.ts: its channels have 2, 8, 8 steps"),
    "another number of channels": ("1,1,1,1,1,1,1,1:0,1,2,3,4,5,6,7", "do not have one number of channels"),
}


@pytest.mark.parametrize("fault", BROKEN_TS)
def test_a_broken_ts_file_is_named_by_line_and_channel(tmp_path: Path, fault: str) -> None:
    cells, words = BROKEN_TS[fault]
    with pytest.raises(DatasetError, match=words):
        read(ts_of(tmp_path, cells))


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    file = tmp_path / "own.ts"
    for text, words in (
        ("let x = 1;", "no line @data"),
        ("@timeStamps true\n@data\n(0,1):a", "holds time stamps"),
        ("@data\n", "no recording"),
    ):
        file.write_text(text)
        with pytest.raises(DatasetError, match=words):
            read(file)


@pytest.mark.parametrize("name", ["basicmotions", "japanesevowels"])
def test_a_set_of_sktime_is_had_by_name_from_a_folder_or_says_what_to_install(tmp_path: Path, name: str) -> None:
    found = SERIES[name]
    assert f"_TRAIN.ts at {tmp_path}" in found.missing(str(tmp_path))
    problem = {"basicmotions": "BasicMotions", "japanesevowels": "JapaneseVowels"}[name]
    for part in ("TRAIN", "TEST"):
        ts_of(tmp_path, name=f"{problem}_{part}.ts")
    series = found.open(SeriesSpec(name=name, path=str(tmp_path)))
    assert not found.missing(str(tmp_path)) and series.where == f"{problem}_TRAIN.ts and {problem}_TEST.ts"
    assert series.cuts.tolist() == [8, 14, 22]
