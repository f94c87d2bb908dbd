"""Gradients from random directions: all parameters are moved at once, so the cost does not grow with their number.

Each of these is right on average and wrong each time: along one random direction v the loss tells one number,
and the gradient has P. The error of one draw is about √P times the gradient, and falls as 1/√draws.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.errors import ConfigError
from digitlab.gradients.base import Gradient
from digitlab.gradients.differences import _FromLosses, not_analytic, require_positive
from digitlab.gradients.loss_at import LossAt, Vector
from digitlab.nn.network import Network

__all__ = ["SPSA", "EvolutionStrategies", "ForwardGradient"]


class _RandomDirections(_FromLosses):
    """Base of the three below: the loss along random directions."""

    def generator(self, rng: np.random.Generator | None) -> np.random.Generator:
        """The generator to draw from. Raises ConfigError if there is none."""
        if rng is None:
            raise ConfigError(
                f"{self!r} draws its directions at random and got no generator; pass rng=numpy.random.default_rng(0)"
            )
        return rng


@dataclass(frozen=True, repr=False)
class ForwardGradient(_RandomDirections):
    """The exact slope along a random direction, times that direction: forward-mode differentiation alone.

    Formula    g = (∇L · v) v,  v ~ N(0, I), averaged over the directions;  E[g] = ∇L since E[v vᵀ] = I
               ∇L · v = Im L(θ + ihv) / h with h = 10⁻²⁰: a complex step (differences.py), exact to round-off
    Cost       one forward pass in complex numbers a direction, and one for the loss
    Error      unbiased; E‖g − ∇L‖² = (P + 1)/directions · ‖∇L‖²
    Source     Baydin et al. 2022, "Gradients without backpropagation"; they carry the derivative along as
               dual numbers, which is what the imaginary part does here

    Refuses, as ComplexStep does, layers that are not analytic.
    """

    directions: int = 1

    dtype = "complex128"

    def __post_init__(self) -> None:
        require_count(self, "directions", self.directions)

    def estimate(self, loss: LossAt, here: Any, rng: np.random.Generator | None) -> Vector:
        theta, rng = loss.start, self.generator(rng)
        h, g = 1e-20, np.zeros(theta.shape)
        for _ in range(self.directions):
            v = rng.standard_normal(theta.shape)  # (P,)
            g += loss(theta + 1j * h * v).imag / h * v
        return g / self.directions

    def evaluations(self, network: Network) -> int:
        """One forward pass for each direction, and the loss itself."""
        return self.directions + 1

    def directions_drawn(self) -> int | None:
        return self.directions

    def unsupported_reason(self, network: Network) -> str | None:
        """Names the first layer that complex numbers cannot pass."""
        return not_analytic(network)


@dataclass(frozen=True, repr=False)
class SPSA(_RandomDirections):
    """Simultaneous perturbation: every parameter steps up or down by the throw of a coin, and two losses are compared.

    Formula    gᵢ = (L(θ + cΔ) − L(θ − cΔ)) / (2c Δᵢ),  Δᵢ = ±1; averaged over the samples. As 1/Δᵢ = Δᵢ we multiply
    Cost       2 forward passes a sample, and one for the loss
    Error      bias O(c²); E‖g − ∇L‖² ≈ (P − 1)/samples · ‖∇L‖²
    Source     Spall 1992, "Multivariate stochastic approximation using a simultaneous perturbation gradient
               approximation". His cₖ shrinks from step to step; here `step` stays, or a caller changes it
    """

    samples: int = 1
    step: float = 1e-3

    def __post_init__(self) -> None:
        require_count(self, "samples", self.samples)
        require_positive(self, "step", self.step)

    def estimate(self, loss: LossAt, here: Any, rng: np.random.Generator | None) -> Vector:
        theta, rng = loss.start, self.generator(rng)
        c, g = self.step, np.zeros(theta.shape)
        for _ in range(self.samples):
            delta = rng.choice([-1.0, 1.0], theta.shape)  # (P,)
            g += (loss(theta + c * delta) - loss(theta - c * delta)) / (2 * c) * delta
        return g / self.samples

    def evaluations(self, network: Network) -> int:
        """Two forward passes for each sample, and the loss itself."""
        return 2 * self.samples + 1

    def directions_drawn(self) -> int | None:
        return self.samples


@dataclass(frozen=True, repr=False)
class EvolutionStrategies(_RandomDirections):
    """A population of mutants around θ; the gradient leads from the worse to the better ones.

    Formula    g = 1/(nσ) Σₖ L(θ + σεₖ) εₖ,  εₖ ~ N(0, I), in antithetic pairs ε, −ε; n is the population
    Cost       one forward pass a mutant, and one for the loss
    Error      unbiased for the loss smoothed by N(0, σ²), whose gradient is off ∇L by O(σ²);
               E‖g − ∇L‖² ≈ 2(P + 1)/n · ‖∇L‖²
    Source     Salimans et al. 2017, "Evolution strategies as a scalable alternative to reinforcement learning",
               sec. 2; without their ranking of the losses, which would change what is estimated

    The smoothed loss has slopes where L is flat, so this trains networks of Step neurons.
    """

    population: int = 50
    sigma: float = 0.1

    def __post_init__(self) -> None:
        require_count(self, "population", self.population)
        if self.population % 2:
            raise ConfigError(f"EvolutionStrategies: got population {self.population}, expected an even number: pairs")
        require_positive(self, "sigma", self.sigma)

    def estimate(self, loss: LossAt, here: Any, rng: np.random.Generator | None) -> Vector:
        theta, rng = loss.start, self.generator(rng)
        sigma, g = self.sigma, np.zeros(theta.shape)
        for _ in range(self.population // 2):
            e = rng.standard_normal(theta.shape)  # (P,)
            g += (loss(theta + sigma * e) - loss(theta - sigma * e)) * e
        return g / (self.population * sigma)

    def evaluations(self, network: Network) -> int:
        """One forward pass for each mutant, and the loss itself."""
        return self.population + 1

    def directions_drawn(self) -> int | None:
        """One for each pair of mutants."""
        return self.population // 2


def require_count(method: Gradient, name: str, value: int) -> None:
    """Raise ConfigError unless a setting is a whole number from 1."""
    if not (isinstance(value, int | np.integer) and value >= 1):
        raise ConfigError(f"{type(method).__name__}: got {name} {value!r}, expected a whole number from 1")
