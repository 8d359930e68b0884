"""A feature network is the published one by its hash and its numbers, or the user's own, and says what is wrong otherwise."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tauscope.features import FeatureError, feature_problems
from tauscope.features.inception import _renamed
from tauscope.features.inception_v3 import InceptionV3
from tauscope.features.mobilenet import MobileNetV2
from tauscope.features.network import resized, with_channels
from tauscope.features.registry import build_features
from tauscope.features.torchscript import open_torchscript
from tauscope.features.weights import find_weights, sha256_of
from tauscope.metrics.frechet import PrincipalComponents
from tauscope.specs.features import InceptionFeatures, MobileNetFeatures, PixelsPcaFeatures, TorchScriptFeatures
from tauscope.specs.measurement import ImageMeasurementSpec
from tests.features.networks import HERE, Small, needs, saved

IMAGES = torch.randint(0, 256, (3, 1, 12, 12), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_a_torchscript_file_is_given_images_at_its_size_channels_and_values(tmp_path: Path) -> None:
    path = saved(Small(), tmp_path / "net.pt", torch.zeros(2, 3, 8, 8))
    network = build_features(TorchScriptFeatures(path=str(path), size=8, value_range="-1..1"), IMAGES, HERE)
    with torch.no_grad():
        expected = Small()(resized(IMAGES.float(), 8).expand(-1, 3, -1, -1) / 127.5 - 1)
    assert np.allclose(network.features(IMAGES), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize(("value_range", "lowest", "highest"), [("0..1", 0, 1), ("-1..1", -1, 1), ("0..255", 0, 255)])
def test_values_are_scaled_to_what_the_network_was_trained_on(tmp_path: Path, value_range: str, lowest: float, highest: float) -> None:
    path = saved(torch.nn.Flatten(), tmp_path / "net.pt", torch.zeros(2, 1, 4, 4))
    spec = TorchScriptFeatures.model_validate({"path": str(path), "size": 4, "channels": 1, "value_range": value_range})
    found = build_features(spec, IMAGES, HERE).features(torch.tensor([0, 255] * 8, dtype=torch.uint8).reshape(1, 1, 4, 4))
    assert (found.min(), found.max()) == (lowest, highest)


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    path = saved(Small(), tmp_path / "net.pt", torch.zeros(2, 3, 8, 8))
    find_weights(TorchScriptFeatures(path=str(path), sha256=sha256_of(path)))
    with pytest.raises(FeatureError, match="hashes to"):
        find_weights(TorchScriptFeatures(path=str(path), sha256="0" * 64))


@pytest.mark.parametrize("spec", [InceptionFeatures, MobileNetFeatures])
def test_weights_that_nobody_published_never_pass_as_a_named_network(
    spec: type[InceptionFeatures | MobileNetFeatures], tmp_path: Path
) -> None:
    path = saved(Small(), tmp_path / "net.pt", torch.zeros(2, 3, 8, 8))
    with pytest.raises(FeatureError, match="not a known file") as error:
        find_weights(spec(path=str(path)))
    assert "name: torchscript" in error.value.remedy


def test_a_file_that_is_no_torchscript_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"no network")
    with pytest.raises(FeatureError, match="is no TorchScript") as error:
        build_features(TorchScriptFeatures(path=str(path)), IMAGES, HERE)
    assert "torch.jit.trace" in error.value.remedy


def test_a_network_of_another_input_says_what_it_has_to_map(tmp_path: Path) -> None:
    path = saved(Small(channels=1), tmp_path / "net.pt", torch.zeros(2, 1, 8, 8))
    with pytest.raises(FeatureError, match="fails on two images") as error:
        build_features(TorchScriptFeatures(path=str(path), size=8), IMAGES, HERE)
    assert "set size and channels" in error.value.remedy


def test_what_is_not_there_is_told_before_a_launch_by_field(tmp_path: Path) -> None:
    spec = ImageMeasurementSpec(features=(PixelsPcaFeatures(), TorchScriptFeatures(path=str(tmp_path / "gone.pt"))))
    (problem,) = feature_problems(spec)
    assert problem.path == "measurement.features.1.path"
    assert "is no file" in problem.message


def test_resizing_is_the_bilinear_filter_of_pil_but_unrounded() -> None:
    """PIL rounds to bytes after each of two passes: at most one value apart."""
    image = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    for size in (17, 64):
        by_pil = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR), dtype=float)
        ours = resized(torch.from_numpy(image).float()[None, None], size)[0, 0].numpy()
        assert np.abs(ours - by_pil).max() <= 1.0


def test_grey_is_repeated_and_colours_are_averaged() -> None:
    colours = torch.rand(2, 3, 4, 4)
    assert with_channels(colours, 1).shape == (2, 1, 4, 4)
    assert torch.equal(with_channels(colours[:, :1], 3)[:, 2], colours[:, 0])


def test_pixels_pca_are_the_components_of_the_reference() -> None:
    network = build_features(PixelsPcaFeatures(components=2), IMAGES, HERE)
    pixels = (IMAGES.float() / 255).numpy()
    assert np.allclose(network.features(IMAGES), PrincipalComponents.of(pixels, 2).features(pixels))


def test_the_inception_written_here_is_the_published_torchscript() -> None:
    """pytorch-fid's names of weights against the TensorFlow names of the other file.

    Float32 through 94 layers: 1e-4 of features that are 0 to 3.
    """
    needs(InceptionFeatures())
    published = open_torchscript(find_weights(InceptionFeatures()).path, HERE)
    network = build_features(InceptionFeatures(), IMAGES, HERE)
    pixels = resized(IMAGES.float().expand(-1, 3, -1, -1), 299)
    with torch.no_grad():
        expected = published((pixels - 128) / 128)
    assert np.allclose(network.features(IMAGES), expected.numpy(), atol=1e-4)
    assert expected.max() > 0.5


def test_both_files_of_the_inception_have_a_place_for_every_weight() -> None:
    """What pytorch-fid's file holds beside, the classifier and the auxiliary one, is left out; a weight that is missing is an error."""
    needs(InceptionFeatures())
    weights = find_weights(InceptionFeatures())
    state = open_torchscript(weights.path, HERE).state_dict()
    assert set(_renamed(state, InceptionV3())) == set(InceptionV3().state_dict())
    with pytest.raises(ValueError, match="zip"):
        _renamed({name: value for name, value in state.items() if name != "net.layers.conv_4.weight"}, InceptionV3())


def test_the_inception_gives_2048_features_of_small_grey_images() -> None:
    needs(InceptionFeatures())
    found = build_features(InceptionFeatures(), IMAGES, HERE).features(IMAGES[:1])
    assert found.shape == (1, 2048)
    assert found.min() >= 0


def test_mobilenet_sees_a_palace_where_there_is_one() -> None:
    """Every published weight has its place, and the file's own classifier on our features names a photo of a Chinese palace."""
    needs(MobileNetFeatures())
    photo = Image.open(Path(str(find_spec("sklearn").origin)).parent / "datasets/images/china.jpg")  # type: ignore[union-attr]
    state = torch.load(find_weights(MobileNetFeatures()).path, weights_only=True)
    assert {name for name in state if name.startswith("features.")} == set(MobileNetV2().state_dict())
    assert sum(value.numel() for value in MobileNetV2().parameters()) == 3_504_872 - 1_281_000  # torchvision's, less its classifier
    square = np.array(photo.resize((224, 224), Image.Resampling.BILINEAR))
    images = torch.from_numpy(square).permute(2, 0, 1)[None]
    found = torch.from_numpy(build_features(MobileNetFeatures(size=224), IMAGES, HERE).features(images))
    assert found.shape == (1, 1280)
    classes = (found @ state["classifier.1.weight"].T + state["classifier.1.bias"])[0].topk(2).indices
    assert set(classes.tolist()) == {698, 663}  # palace, monastery
