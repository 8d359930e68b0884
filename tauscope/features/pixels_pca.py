"""``pixels_pca``: the leading principal components of the held-out images, which need no network."""

import hashlib
from dataclasses import dataclass

import torch
from jaxtyping import Float
from numpy import ndarray

from tauscope.features.network import Images
from tauscope.metrics.frechet import PrincipalComponents
from tauscope.specs.features import PixelsPcaFeatures


@dataclass(frozen=True)
class PixelsPca:
    """Components fitted to real images, pixels in [0, 1]."""

    components: PrincipalComponents
    identity: str

    @classmethod
    def fit(cls, spec: PixelsPcaFeatures, held_out: Images) -> "PixelsPca":
        """Fit the components."""
        seen = hashlib.sha256(held_out.numpy().tobytes()).hexdigest()
        fitted = PrincipalComponents.of((held_out.float() / 255).numpy(), spec.components)
        return cls(fitted, f"pixels_pca {spec.components} of {seen}")

    @torch.no_grad()
    def features(self, images: Images) -> Float[ndarray, "image feature"]:
        return self.components.features((images.cpu().float() / 255).numpy())
