"""A pickle that asks for anything but an array of bytes is refused before it runs."""

import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tauscope.datasets.plain_pickle import PlainPickleError, load_plain_pickle
from tests.datasets.made import pixels, python2_batch


@pytest.mark.parametrize("protocol", range(1, 6))
def test_what_numpy_writes_today_is_read(tmp_path: Path, protocol: int) -> None:
    batch = {b"data": pixels(4, 3072), b"labels": [1, 2, 3, 4], b"batch_label": b"testing batch 1 of 1"}
    (tmp_path / "batch").write_bytes(pickle.dumps(batch, protocol=protocol))
    if protocol == 5:
        # NumPy hands over a buffer in this one, by a function that is not allowed; nobody writes CIFAR-10 so.
        with pytest.raises(PlainPickleError, match="_frombuffer"):
            load_plain_pickle(tmp_path / "batch")
        return
    found = load_plain_pickle(tmp_path / "batch")
    assert np.array_equal(found[b"data"], batch[b"data"]) and found[b"labels"] == [1, 2, 3, 4]


def test_what_python_2_wrote_is_read(tmp_path: Path) -> None:
    rows = pixels(3, 3072)
    (tmp_path / "batch").write_bytes(python2_batch(rows, [0, 9, 5]))
    found = load_plain_pickle(tmp_path / "batch")
    assert np.array_equal(found[b"data"], rows) and found[b"labels"] == [0, 9, 5]


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


HOSTILE: dict[str, tuple[bytes, str]] = {
    "a command": (pickle.dumps(Calls(os.system, "touch ran")), "posix.system"),
    "eval": (pickle.dumps(Calls(eval, "1")), "builtins.eval"),
    "an attribute of what is allowed": (b"\x80\x04\x8c\x05numpy\x8c\x12ndarray.__reduce__\x93.", "ndarray.__reduce__"),
    "an array of any length": (b"cnumpy\nndarray\n(I1000000000000\ntR.", "not rebuilt"),
    "a reconstruction of any length": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1000000000000\ntU\x01btR.",
        "not rebuilt",
    ),
    "an array of objects": (pickle.dumps(np.array([1, "a"], dtype=object), protocol=2), "type 'O8'"),
    "an array of floats": (pickle.dumps(np.zeros(3), protocol=2), "type 'f8'"),
    "an encoding of any kind": (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.", "not written as Python"),
    "attributes of a stand-in": (b"cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb.", "no attribute"),
    "slots of a stand-in": (b"cnumpy\ndtype\n(N}X\x08\x00\x00\x00__call__K\x01stb.", "read-only"),
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_hostile_pickle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trick: str) -> None:
    monkeypatch.chdir(tmp_path)  # Where a command would leave its mark.
    content, words = HOSTILE[trick]
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(PlainPickleError, match=re.escape(words)):
        load_plain_pickle(tmp_path / "batch")
    assert not (tmp_path / "ran").exists()
