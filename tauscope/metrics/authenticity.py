"""AuthPct: the share of samples that are no near copy of a training image (Alaa et al. 2022, arXiv:2102.08921)."""

import torch
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import clopper_pearson
from tauscope.metrics.neighbours import nearest_distinct


def authenticity(features: Float[ndarray, "item dim"], train: Float[ndarray, "n_train dim"]) -> tuple[float, float, float]:
    """The share of samples that are no nearer to their nearest training image than that is to its own nearest; (value, low, high).

    Equal training images are one, or a copied duplicate would count as authentic. Interval: Clopper and Pearson's over samples.

    Raises:
        ValueError: if there are fewer than two distinct training images.
    """
    images = torch.from_numpy(train).double()
    found = nearest_distinct(torch.from_numpy(features).double(), images, k=1)
    nearest = found.index[:, 0]
    own = nearest_distinct(images[nearest], images, k=2).distance[:, 1]
    authentic = int((found.distance[:, 0] >= own).sum())
    return authentic / len(features), *clopper_pearson(authentic, len(features))
