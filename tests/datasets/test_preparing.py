"""Images are prepared as arXiv:2505.17638 prepares CelebA, to the last bit."""

from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray
from PIL import Image

from tauscope.datasets.array_images import ArrayImages
from tauscope.datasets.image_list import UnreadableImageError
from tauscope.datasets.preparing import square, write_prepared
from tests.datasets.made import pixels


def as_published(image: Image.Image, size: int, mode: str) -> ndarray:
    """Resize(size) with PIL's bilinear filter, then CenterCrop(size), restated; the image is made grey first."""
    image = image.convert(mode)
    width, height = image.size
    width, height = (size, max(size, round(height * size / width))) if width <= height else (max(size, round(width * size / height)), size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(image)[top : top + size, left : left + size]


@pytest.mark.parametrize("shape", [(218, 178, 3), (100, 133, 3), (33, 32, 3), (9, 31, 3), (40, 40, 1)])
@pytest.mark.parametrize(("colour", "mode"), [(False, "L"), (True, "RGB")])
def test_grey_first_then_the_short_edge_then_the_centre(shape: tuple[int, ...], colour: bool, mode: str) -> None:
    picture = pixels(*shape)
    expected = as_published(Image.fromarray(picture.squeeze()), 32, mode)
    assert np.array_equal(square(picture, 32, colour=colour), expected.transpose(2, 0, 1) if colour else expected[None])


def test_an_image_of_the_right_size_is_left_as_it_is() -> None:
    picture = pixels(28, 28, 1)
    assert np.array_equal(square(picture, 28, colour=False)[0], picture[..., 0])


def images(*pictures: ndarray) -> ArrayImages:
    return ArrayImages(np.stack([picture.transpose(2, 0, 1) for picture in pictures]), origin="x.npy", fingerprint="x")


def test_a_long_thin_image_is_unreadable_instead_of_filling_the_memory(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"image 0 of x\.npy: it is 3000 x 2 pixels"):
        write_prepared(images(pixels(2, 3000, 1)), tmp_path / "images.npy", size=256, colour=False, skip=False)


def test_images_smaller_than_asked_are_enlarged_and_counted(tmp_path: Path) -> None:
    found = write_prepared(images(pixels(20, 40, 1), pixels(20, 40, 1)), tmp_path / "images.npy", size=32, colour=False, skip=False)
    assert found.n_enlarged == 2
    assert np.load(tmp_path / "images.npy").shape == (2, 1, 32, 32)
    found = write_prepared(images(pixels(40, 40, 1)), tmp_path / "images.npy", size=32, colour=False, skip=False)
    assert found.n_enlarged == 0
