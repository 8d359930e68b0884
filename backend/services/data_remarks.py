"""What is worth knowing of a run's images before it is launched: duplicates, where finding them takes no more than a moment."""

import base64
from functools import lru_cache

import numpy as np

from backend.services.images import sheet_of
from tauscope.contracts.datasets import DataRemarks, TwinImages
from tauscope.datasets import DatasetError, source_of
from tauscope.datasets.duplicates import TwinPair
from tauscope.datasets.registered import place_of
from tauscope.datasets.split import Split, split_at_hand
from tauscope.specs.dataset import DatasetSpec

# Of a larger data set every run tells once its images are prepared.
MOST_IMAGES = 20_000
SHOWN_PAIRS = 4
_EDGE = 64


def data_remarks(spec: DatasetSpec) -> DataRemarks | None:
    """What is known of the images of a run; ``None`` where it would have to be worked out for long, or they are not here."""
    source = source_of(spec)
    if (source.n_images or 0) > MOST_IMAGES:
        return None
    try:
        images = source.open(place_of(spec))
        return _found(spec, images.fingerprint()) if len(images) <= MOST_IMAGES else None
    except (DatasetError, OSError):
        return None


@lru_cache(maxsize=256)
def _found(spec: DatasetSpec, fingerprint: str) -> DataRemarks | None:
    """``fingerprint`` is what an answer holds for, beside the spec."""
    split = split_at_hand(source_of(spec), spec)
    if split is None:
        return None
    found = split.duplicates()
    shown = [pair for part in ("held_out", "train") for pair in found.pairs if pair.part == part]
    return DataRemarks(remarks=tuple(found.remarks()), pairs=tuple(_images(split, pair) for pair in shown[:SHOWN_PAIRS]))


def _images(split: Split, pair: TwinPair) -> TwinImages:
    first = (split.held_out if pair.part == "held_out" else split.train)[pair.first]
    both = np.stack([first, split.train[pair.second]])
    png = sheet_of(both, columns=2, scale=max(1, _EDGE // first.shape[-1])).png
    picture = "data:image/png;base64," + base64.b64encode(png).decode()
    return TwinImages(part=pair.part, first=pair.first, second=pair.second, rms=pair.rms, picture=picture)
