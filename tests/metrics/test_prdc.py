"""Precision, recall, density and coverage equal their authors' package, and say nothing of copies."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tauscope.metrics.distances import squared_distances, squared_radii
from tauscope.metrics.prdc import Manifold


def test_they_agree_with_the_authors_package() -> None:
    """Shares of the same comparisons: exactly equal."""
    from prdc import compute_prdc

    rng = np.random.default_rng(0)
    real, samples = rng.normal(size=(150, 6)), rng.normal(0.5, 0.8, size=(120, 6))
    theirs = compute_prdc(real, samples, nearest_k=5)
    found = Manifold.of(real, 5).prdc(samples)
    for name in ("precision", "recall", "density", "coverage"):
        value, low, high = getattr(found, name)
        assert value == pytest.approx(theirs[name], abs=1e-12)
        assert low < value < high


def test_distances_and_radii_agree_with_scikit_learn() -> None:
    """The expansion loses 1e-16 of the squared norms, which are below 1e3 here."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(80, 10)) + 100
    distance, _ = NearestNeighbors(n_neighbors=6).fit(rows).kneighbors(rows)
    assert np.sqrt(squared_radii(rows, 5)) == pytest.approx(distance[:, 5], abs=1e-6)
    assert squared_distances(rows, rows).diagonal() == pytest.approx(0, abs=1e-9)


def test_copies_of_held_out_like_images_score_as_high_as_real_ones() -> None:
    """A copier of 400 images and 400 fresh ones: neither precision nor coverage tells them apart."""
    rng = np.random.default_rng(2)
    held_out, train, fresh = (rng.normal(size=(400, 4)) for _ in range(3))
    manifold = Manifold.of(held_out, 5)
    copied, real = manifold.prdc(train[rng.integers(400, size=400)]), manifold.prdc(fresh)
    assert copied.precision[1] < real.precision[0] < copied.precision[2]
    assert copied.coverage[0] > 0.75  # Repeats leave out a third of the images.


def test_too_few_neighbours_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6"):
        Manifold.of(np.zeros((5, 2)), 5)
