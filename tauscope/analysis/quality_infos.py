"""How the qualities of samples are named, defined and drawn: what is measured on pixels, and on the features of networks."""

from collections.abc import Iterator
from dataclasses import dataclass

from tauscope.contracts.points import MetricInfo
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.features import (
    NEIGHBOURS,
    Features,
    InceptionFeatures,
    MobileNetFeatures,
    PixelsPcaFeatures,
    TorchScriptFeatures,
)


def quality_infos(spec: ImageDdpmSpec) -> list[MetricInfo]:
    """Every quality of samples that a run of this spec measures, each with its floor and what a copier scores."""
    return [*_on_pixels(spec), *(info for features in spec.measurement.features for info in _on_features(spec, features))]


@dataclass(frozen=True)
class _Kind:
    """What a metric is, whatever the features.

    ``formula`` says what is computed of the samples, ``interval`` what its 95 % interval is over.
    """

    label: str
    unit: str
    better: str
    formula: str
    interval: str
    log_scale: bool = False


_SHARE = "share of samples"
_FEATURES = "squared Euclidean, features"
_KINDS = {
    "frechet": _Kind(
        "Fréchet distance",
        _FEATURES,
        "lower",
        "Fréchet distance between Gaussians fitted to features {against}",
        "{distances}",
        log_scale=True,
    ),
    "frechet_to_train": _Kind(
        "Fréchet distance to the training set",
        _FEATURES,
        "neither",
        "The same distance to {n_train:,} training images, for which a copier scores best",
        "95 % jackknife interval over samples",
        log_scale=True,
    ),
    "frechet_infinity": _Kind(
        "Fréchet distance at infinitely many samples",
        _FEATURES,
        "lower",
        "Fréchet distance {against}, linear in 1/N over ten N and extrapolated to 0 (arXiv:1911.07023)",
        "95 % jackknife interval over samples",
    ),
    "kid": _Kind(
        "kernel distance",
        "squared MMD, polynomial kernel",
        "lower",
        "Unbiased squared MMD with kernel (x.y / d + 1)^3 {against} (arXiv:1801.01401)",
        "95 % jackknife interval over samples and reference",
    ),
    "precision": _Kind(
        "precision",
        _SHARE,
        "higher",
        "Share of samples within the distance of a reference image to its {k}th neighbour {against} (arXiv:1904.06991)",
        "95 % Clopper-Pearson interval over samples, the reference given; as high for copies",
    ),
    "recall": _Kind(
        "recall",
        "share of reference images",
        "higher",
        "Share of reference images within the distance of a sample to its {k}th neighbour {against} (arXiv:1904.06991)",
        "95 % Clopper-Pearson interval over reference images, the samples given; as high for copies",
    ),
    "density": _Kind(
        "density",
        "reference balls a sample, over k",
        "higher",
        "Mean number of balls of reference images to their {k}th neighbour that hold a sample, over {k} {against} (arXiv:2002.09797)",
        "95 % Student interval over samples, the reference given; as high for copies",
    ),
    "coverage": _Kind(
        "coverage",
        "share of reference images",
        "higher",
        "Share of reference images whose ball to their {k}th neighbour holds a sample {against} (arXiv:2002.09797)",
        "95 % Clopper-Pearson interval over reference images, the samples given; stays high for copies",
    ),
    "c_t": _Kind(
        "three-sample test C_T",
        "standard deviations of no copying",
        "zero",
        "Mann-Whitney z of distances to the nearest of {n_train:,} training images, samples against held-out, mean over k-means cells; "
        "far below 0 is copying (arXiv:2004.05675)",
        "95 % score interval over samples and held-out images",
    ),
    "authenticity": _Kind(
        "authentic samples, AuthPct",
        _SHARE,
        "higher",
        "Share of samples no nearer to their nearest of {n_train:,} training images than that is to its own nearest (arXiv:2102.08921)",
        "95 % Clopper-Pearson interval over samples",
    ),
    "fld_gap": _Kind(
        "FLD generalization gap",
        "0.01 nat a feature",
        "zero",
        "Held-out less training log-likelihood under Gaussians around the samples, fitted to {n_train:,} training images, {against}; far "
        "below 0 is copying (arXiv:2302.04440)",
        "95 % normal interval over images, the samples and the fit given",
    ),
    "vendi": _Kind(
        "Vendi score",
        "effective number of samples",
        "higher",
        "exp of the entropy of the eigenvalues of the samples' cosines over their number, which it grows with (arXiv:2210.02410)",
        "95 % jackknife interval over samples",
    ),
}


def _on_features(spec: ImageDdpmSpec, features: Features) -> Iterator[MetricInfo]:
    for metric in features.metrics:
        yield from _with_baselines(spec, features, metric)
        if metric == "frechet":
            yield from _with_baselines(spec, features, "frechet_to_train")


def _with_baselines(spec: ImageDdpmSpec, features: Features, metric: str) -> Iterator[MetricInfo]:
    kind, name, words = _KINDS[metric], features.metric_name(metric), _words(spec, features)
    label = "FID".join(kind.label.split("Fréchet distance", 1)) if isinstance(features, InceptionFeatures) else kind.label
    label = "KID" if metric == "kid" and isinstance(features, InceptionFeatures) else label
    n, floor = features.count(spec.measurement.n_generated), features.parts(spec.dataset.n_held_out, spec.measurement.n_generated)[0]
    made = f"{kind.formula}; {kind.interval}".format(**words)
    shared = {"unit": kind.unit, "log_scale": kind.log_scale}

    def info(ending: str, label: str, role: str, definition: str, **more: object) -> MetricInfo:
        return MetricInfo.model_validate({"name": name + ending, "label": label, "role": role, "definition": definition, **shared, **more})

    yield info(
        "",
        f"{label} on {words['network']}",
        "quality",
        f"{made}. Of the first {n:,} generated images a checkpoint; features: {words['input']}.",
        control=f"{name}_floor",
        better=kind.better,
    )
    yield info("_floor", "real against real", "control", f"The same number for {floor:,} real images held out from both: perfect samples.")
    if metric != "frechet_to_train":
        copied = min(n, features.train, spec.dataset.n_train)
        yield info(
            "_train",
            "training set in place of samples",
            "control",
            f"The same number for {copied:,} raw training images: a perfect copier.",
        )


def _words(spec: ImageDdpmSpec, features: Features) -> dict[str, object]:
    _, each = features.parts(spec.dataset.n_held_out, spec.measurement.n_generated)
    sets = features.sets
    reference = f"{sets * each:,} held-out images"
    network, given = _network(features)
    return {
        "network": network,
        "input": given,
        "k": NEIGHBOURS,
        "n_train": min(features.train, spec.dataset.n_train),
        "against": f"against {reference}",
        "distances": (
            "95 % jackknife interval over samples"
            if sets == 1
            else f"mean over {sets} disjoint sets of {each:,}, and 2 standard deviations over them"
        ),
    }


def _network(features: Features) -> tuple[str, str]:
    """What the network is called on figures, and what decides its numbers."""
    resized = "resized bilinearly with antialiasing to {0} x {0} pixels"
    match features:
        case PixelsPcaFeatures():
            words = f"{features.components} principal components of the reference's pixels, nothing resized"
            return f"{features.components} principal components", words
        case InceptionFeatures():
            return "Inception 2015", f"the 2048 of the FID's Inception network of 2015-12-05, {resized.format(features.SIZE)}"
        case MobileNetFeatures():
            words = f"the 1280 of MobileNetV2, ImageNet weights b0353104, {resized.format(features.size)}; not an FID"
            return "MobileNetV2", words
        case TorchScriptFeatures():
            checked = f", sha256 {features.sha256[:12]}" if features.sha256 else ""
            words = f"{features.label}{checked}, values {features.value_range}, {resized.format(features.size)}; not an FID"
            return features.label.replace("_", " "), words


def _on_pixels(spec: ImageDdpmSpec) -> list[MetricInfo]:
    components, n, held_out = spec.measurement.frechet_components, spec.measurement.n_generated, spec.dataset.n_held_out
    n_floor = min(n, held_out // 2)
    what = f"Fréchet distance on {components} principal components"
    unit = "squared Euclidean, pixels in [0, 1]"
    against = f"against {held_out - n_floor:,} held-out images; components fitted on the same images; 95 % jackknife interval."
    return [
        MetricInfo(
            name="frechet_pca",
            label=what,
            unit=unit,
            role="quality",
            control="frechet_pca_floor",
            log_scale=True,
            definition=f"Of {n:,} generated images {against} Not an FID, whose features are another network's.",
        ),
        MetricInfo(
            name="frechet_pca_floor",
            label="real against real",
            unit=unit,
            role="control",
            log_scale=True,
            definition=f"The same distance for {n_floor:,} real images held out from both: what perfect samples score.",
        ),
        MetricInfo(
            name="frechet_pca_train",
            label="training set against held-out",
            unit=unit,
            role="control",
            log_scale=True,
            definition="The same distance for the raw training images: what a perfect copier scores.",
        ),
    ]
