"""Small files of the formats in which people have images, each written as its own tools write it."""

import json
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

FEATURES = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}


def pictures(n: int, *, height: int = 10, width: int = 12, channels: int = 3, seed: int = 0) -> UInt8[ndarray, "n height width channels"]:
    return np.random.default_rng(seed).integers(0, 256, (n, height, width, channels), np.uint8)


def encoded(pixels: ndarray, file_format: str = "PNG", **options: Any) -> bytes:
    content = BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(content, file_format, **options)
    return content.getvalue()


def write_files(root: Path, names: Sequence[str], images: Sequence[ndarray]) -> Path:
    for name, image in zip(names, images, strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(image))
    return root


def write_zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def table(images: Sequence[ndarray], labels: Sequence[int], *, paths: Sequence[str] | None = None) -> Any:
    """As ``datasets`` 5.2 writes them: {bytes, path}, and the features as JSON in the schema's metadata."""
    held = [{"bytes": None if paths else encoded(image), "path": paths[row] if paths else None} for row, image in enumerate(images)]
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", image), ("label", pa.int64())], {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()})
    return pa.table({"image": held, "label": list(labels)}, schema=schema)


def write_parquet(path: Path, rows: Any, *, row_group_size: int = 7) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, row_group_size=row_group_size)
    return path


def save_to_disk(folder: Path, rows: Any) -> Path:
    """One split in one file, as ``Dataset.save_to_disk`` leaves it."""
    folder.mkdir(parents=True)
    name = "data-00000-of-00001.arrow"
    with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, rows.schema) as stream:
        stream.write_table(rows, max_chunksize=9)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}], "_format_type": None, "_split": None}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder
