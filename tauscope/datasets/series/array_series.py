"""A series out of a .npz or .npy file: an array [time, channel], and with names times and channels beside it."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

_VALUES, _TIMES, _CHANNELS = ("values", "series", "data", "x", "arr_0"), ("time", "times", "t"), ("channels", "columns", "names")


def read_arrays(path: Path, spec: SeriesSpec) -> RawSeries:
    """The array of values, of which the spec may name channels; without names they are called 0, 1, ...

    Raises:
        DatasetError: if the file is damaged, or its arrays are no series.
    """
    arrays = _load(path)
    values, key = _pick(arrays, path.name)
    names = _names(arrays, values.shape[1], path.name)
    channels = _chosen(names, spec, path.name)
    kept = values[:, [names.index(name) for name in channels]]
    moments, time, dated = _times(arrays, len(values), path.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return RawSeries(kept, channels, moments, np.arange(1, len(values) + 1), f"{path.name}[{key}]", digest, time, dated)


def _load(path: Path) -> dict[str, ndarray]:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            return {"values": loaded} if isinstance(loaded, ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is no intact .npz or .npy file: {error}", "Save it again with numpy.savez") from error


def _pick(arrays: Mapping[str, ndarray], where: str) -> tuple[Float[ndarray, "row channel"], str]:
    key = next((name for name in _VALUES if name in arrays), None) or next((name for name in arrays if arrays[name].ndim == 2), None)
    if key is None or arrays[key].ndim != 2 or arrays[key].dtype.kind not in "iuf":
        held = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in arrays.items()) or "nothing"
        raise DatasetError(f"{where} holds no series of numbers with two axes: it has {held}", "Save an array `values` as [time, channel]")
    values = arrays[key].astype(np.float64)
    if np.isinf(values).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise DatasetError(f"row {row + 1}, column {column} of {where}[{key}] is infinite", "Correct it, or write NaN for a missing value")
    return values, key


def _names(arrays: Mapping[str, ndarray], count: int, where: str) -> list[str]:
    given = next((arrays[name] for name in _CHANNELS if name in arrays), None)
    if given is None:
        return [str(i) for i in range(count)]
    if len(given) != count or len(set(map(str, given))) != count:
        raise DatasetError(f"{where} names {len(given)} channels for {count} columns", "Give each column a name of its own")
    return [str(name) for name in given]


def _chosen(names: list[str], spec: SeriesSpec, where: str) -> tuple[str, ...]:
    absent = [name for name in spec.channels or () if name not in names]
    if absent:
        raise DatasetError(f"{where} has no channel {absent[0]!r}", f"Choose from {', '.join(names)}", field="dataset.channels")
    if spec.channels is None and len(names) < 2:
        raise DatasetError(
            f"{where} has one column; a series of several was expected",
            f"If it is to be modelled alone, set dataset.channels to [{names[0]}]; else save it as [time, channel]",
            field="dataset.channels",
        )
    return spec.channels or tuple(names)


def _times(arrays: Mapping[str, ndarray], count: int, where: str) -> tuple[Float[ndarray, " row"] | None, str, bool]:
    name = next((name for name in _TIMES if name in arrays), None)
    if name is None:
        return None, "", False
    given, dated = arrays[name], arrays[name].dtype.kind == "M"
    moments = given.astype("datetime64[us]").astype(np.int64) / 1e6 if dated else given
    if given.shape != (count,) or moments.dtype.kind not in "iuf" or not np.isfinite(moments).all():
        raise DatasetError(f"{where}[{name}] is no time for each of {count} rows", "Save one finite number or datetime64 a row")
    return moments.astype(np.float64), name, dated
