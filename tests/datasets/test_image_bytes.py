"""Whatever a file stores becomes 8-bit grey or colour, and what was done to it is said."""

import contextlib
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tauscope.datasets.image_bytes import decode
from tests.datasets.own_files import encoded, pictures

COLOUR, GREY = pictures(1)[0], pictures(1, channels=1)[0]


def saved(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    content = BytesIO()
    image.save(content, file_format, **options)
    return content.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("pixels", [COLOUR, GREY])
def test_eight_bit_pixels_come_out_as_they_are(file_format: str, pixels: np.ndarray) -> None:
    found = decode(encoded(pixels, file_format))
    assert (found.pixels == pixels).all()
    assert found.treatment == ""


def test_transparency_is_laid_on_white() -> None:
    alpha = np.full((10, 12, 1), 128, np.uint8)
    alpha[0] = 0
    found = decode(encoded(np.concatenate([COLOUR, alpha], axis=2)))
    assert (found.pixels[0] == 255).all()
    blended = COLOUR[1:] * (128 / 255) + 255 * (127 / 255)
    assert np.abs(found.pixels[1:] - blended).max() <= 1  # Pillow rounds twice.
    assert (found.mode, found.treatment) == ("RGBA", "transparency laid on white")
    grey = decode(saved(Image.merge("LA", [Image.fromarray(GREY[..., 0]), Image.new("L", (12, 10), 0)])))
    assert grey.pixels.shape == (10, 12, 1)
    assert (grey.pixels == 255).all()


def test_a_palette_becomes_colour_and_its_transparent_entry_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.putdata([0, 1])
    assert decode(saved(image)).pixels.tolist() == [[[0, 0, 0], [200, 100, 50]]]
    assert decode(saved(image, transparency=0)).pixels.tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_sixteen_bits_are_scaled_to_eight() -> None:
    values = np.array([[0, 257, 65535, 32768]], np.uint16)
    for file_format in ("PNG", "TIFF"):
        found = decode(saved(Image.fromarray(values), file_format))
        assert found.pixels[..., 0].tolist() == [[0, 1, 255, 128]]
        assert found.treatment == "16 bits scaled to 8"


def test_a_pgm_of_sixteen_bits_is_scaled_to_eight() -> None:
    data = b"P5 2 1 65535\n" + struct.pack(">2H", 65535, 257)
    assert decode(data).pixels[..., 0].tolist() == [[255, 1]]


def test_cmyk_becomes_colour() -> None:
    found = decode(saved(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG"))
    assert (found.mode, found.treatment) == ("CMYK", "CMYK turned into RGB")
    assert np.abs(found.pixels.astype(int) - [255, 0, 0]).max() <= 3  # JPEG is lossy.


def test_one_bit_becomes_grey() -> None:
    found = decode(saved(Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")))
    assert found.pixels[..., 0].tolist() == [[0, 255]]


@pytest.mark.parametrize(("orientation", "turned"), [(1, lambda x: x), (3, lambda x: x[::-1, ::-1]), (6, lambda x: np.rot90(x, -1))])
def test_a_picture_stands_upright_as_its_exif_says(orientation: int, turned: object) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode(saved(Image.fromarray(COLOUR), exif=exif))
    assert callable(turned)
    assert (found.pixels == turned(COLOUR)).all()
    assert ("turned upright" in found.treatment) == (orientation != 1)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(file_format: str) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (255, 0, 128)]
    found = decode(saved(frames[0], file_format, save_all=True, append_images=frames[1:]))
    assert (found.pixels == 255).all()
    assert "first frame only" in found.treatment


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no image at all", "none of"),
        (encoded(pictures(1, height=64, width=64)[0])[:-2000], "truncated"),
        (encoded(pictures(1, height=64, width=64)[0], "JPEG")[:-900], "truncated"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "none of"),
        (png_of(10_000, 10_000), "more than 89,478,485 pixels"),
        (png_of(60_000, 60_000), "more than 89,478,485 pixels"),
        (png_of(64, 64), "truncated"),
        (saved(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"), "no known range"),
        (saved(Image.fromarray(np.ones((4, 4), np.int32)), "TIFF"), "no known range"),
    ],
)
def test_what_is_no_whole_image_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(data)


def test_damage_anywhere_is_an_error_of_the_image_and_of_nothing_else() -> None:
    """A byte changed at each of many places: a picture comes out, or ValueError."""
    rng = np.random.default_rng(0)
    for file_format in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        whole = encoded(COLOUR, file_format)
        for _ in range(60):
            data = bytearray(whole)
            data[rng.integers(len(data))] = rng.integers(256)
            # The picture may be another one, or whole: what counts is that nothing else is raised.
            with contextlib.suppress(ValueError):
                assert decode(bytes(data)).pixels.dtype == np.uint8
