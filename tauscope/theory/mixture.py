"""Gaussian mixtures, whose noised law, score and denoiser are known exactly."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

Points = Float[Tensor, "point dim"]


@dataclass(frozen=True)
class Mixture:
    """p(x) = sum_k w_k N(x; mu_k, diag(sigma_k^2)), in float64. Noised forward it stays a mixture, see ``noised``.

    Attributes:
        weights: w_k, positive, with sum 1.
        means: mu_k.
        stds: sigma_k, positive, in each dimension.
    """

    weights: Float[Tensor, " component"]
    means: Float[Tensor, "component dim"]
    stds: Float[Tensor, "component dim"]

    @classmethod
    def of(cls, means: Float[Tensor, "component dim"], stds: Tensor | float, weights: Tensor | None = None) -> "Mixture":
        """A mixture with these centres.

        Args:
            means: mu_k.
            stds: sigma, as one number for all, one for each component (shape (K, 1)), or one for each component and dimension (K, d).
            weights: in any unit, made to sum to 1; equal by default.

        Raises:
            ValueError: if a weight or a standard deviation is not positive, or a number is not finite.
        """
        mu = means.double()
        sigma = torch.as_tensor(stds, dtype=torch.float64, device=mu.device).expand_as(mu).contiguous()
        w = torch.ones(len(mu), dtype=torch.float64, device=mu.device) if weights is None else weights.double()
        if w.shape != mu.shape[:1]:
            raise ValueError(f"{len(w)} weights for {len(mu)} components; give one for each")
        if not (bool((w > 0).all()) and bool((sigma > 0).all())):
            raise ValueError("a weight or standard deviation is not positive; leave the component out, or widen it")
        if not all(bool(torch.isfinite(part).all()) for part in (mu, sigma, w)):
            raise ValueError("a weight, mean or standard deviation is not finite; give numbers")
        return cls(w / w.sum(), mu, sigma)

    @property
    def dim(self) -> int:
        return self.means.shape[1]

    def to(self, device: torch.device) -> "Mixture":
        return Mixture(self.weights.to(device), self.means.to(device), self.stds.to(device))

    def component(self, k: int) -> "Mixture":
        """The k-th Gaussian alone: the law of a class where components are classes."""
        return Mixture(torch.ones_like(self.weights[:1]), self.means[k : k + 1], self.stds[k : k + 1])

    def sample(self, count: int, generator: torch.Generator) -> tuple[Points, Int[Tensor, " point"]]:
        """Independent draws, and the component that each came from."""
        k = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.dim, generator=generator, dtype=torch.float64, device=self.means.device)
        return self.means[k] + self.stds[k] * noise, k

    def noised(self, alpha_bar: float) -> "Mixture":
        """The law of x_t: means sqrt(alpha_bar) mu_k, variances alpha_bar sigma_k^2 + 1 - alpha_bar."""
        return Mixture(self.weights, alpha_bar**0.5 * self.means, (alpha_bar * self.stds.square() + 1 - alpha_bar).sqrt())

    def log_density(self, x: Float[Tensor, "point dim"]) -> Float[Tensor, " point"]:
        """log p(x), in nats."""
        return torch.logsumexp(self._log_joint(x), dim=1)

    def responsibilities(self, x: Float[Tensor, "point dim"]) -> Float[Tensor, "point component"]:
        """P(component | x)."""
        return torch.softmax(self._log_joint(x), dim=1)

    def score(self, x: Float[Tensor, "point dim"]) -> Points:
        """grad log p(x) = sum_k P(k | x) (mu_k - x) / sigma_k^2."""
        share, precision = self.responsibilities(x), self.stds.square().reciprocal()
        return share @ (precision * self.means) - (share @ precision) * x.double()

    def denoised(self, x_t: Float[Tensor, "point dim"], alpha_bar: float) -> Points:
        """E[x_0 | x_t] where this mixture is the law of x_0: the mean of each component's posterior, weighed by P(component | x_t)."""
        root, variance = alpha_bar**0.5, self.stds.square()
        gain = root * variance / (alpha_bar * variance + 1 - alpha_bar)
        share = self.noised(alpha_bar).responsibilities(x_t)
        return share @ (self.means * (1 - root * gain)) + (share @ gain) * x_t.double()

    def _log_joint(self, x: Tensor) -> Tensor:
        """log (w_k p_k(x)), of shape (point, component); one component at a time, so that no point x component x dim array is made."""
        y = x.double()
        squared = torch.stack([((y - mu) / sigma).square().sum(1) for mu, sigma in zip(self.means, self.stds, strict=True)], dim=1)
        constant = self.weights.log() - self.stds.log().sum(1) - self.dim / 2 * math.log(2 * math.pi)
        return constant - squared / 2
