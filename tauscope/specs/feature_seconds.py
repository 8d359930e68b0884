"""How long features and the qualities on them take, for estimates of a run's duration: as measured, docs/reference/metrics.md."""

from tauscope.specs.features import Features, InceptionFeatures, MobileNetFeatures, PixelsPcaFeatures

# Seconds of one CPU core: an image of MobileNetV2 at 96 pixels, of Inception at 299, and of components.
_MOBILENET, _MOBILENET_SIZE, _INCEPTION, _COMPONENTS = 6.1e-3, 96, 0.184, 1e-5
# A checkpoint of 500 samples on 2,048 features; qualities that are not named take a twentieth of a second or less.
_QUALITIES = {"frechet": 1.3, "frechet_infinity": 1.2, "fld_gap": 1.4, "authenticity": 0.4, "vendi": 0.3}
_SAMPLES, _FEATURES = 500, 2048


def feature_seconds(spec: Features, n_generated: int) -> float:
    """Seconds of one CPU core for the samples of a checkpoint; references are left out, which are looked at once for all runs.

    A network of the user's own is taken to be as fast as MobileNetV2 at the size of its input.
    """
    match spec:
        case PixelsPcaFeatures():
            image, features = _COMPONENTS, spec.components
        case InceptionFeatures():
            image, features = _INCEPTION, _FEATURES
        case MobileNetFeatures():
            image, features = _MOBILENET * (spec.size / _MOBILENET_SIZE) ** 2, 1280
        case _:
            image, features = _MOBILENET * (spec.size / _MOBILENET_SIZE) ** 2, _FEATURES
    of_qualities = sum(_QUALITIES.get(metric, 0.0) for metric in spec.metrics) / _SAMPLES * min(1.0, features / _FEATURES)
    return spec.count(n_generated) * (image + of_qualities)
