"""Perturbations exactly as published."""

from __future__ import annotations

from collections.abc import Callable

from training.perturbations.base import Perturbation
from training.perturbations.partial_reset import PartialReset
from training.perturbations.shrink_perturb import ShrinkPerturb


def paper_shrink_perturb(shrink: float = 0.4, noise: float = 0.1) -> ShrinkPerturb:
    """Shrink and perturb as in arXiv:2502.04121.

    Acts on the whole state of the network, running statistics of batch norm included, mixes in a fresh
    initialisation, and starts a fresh optimizer.
    """
    return ShrinkPerturb(
        shrink, noise, source="initialisation", scope="all", buffers="scale", optimizer="reset"
    )


def paper_partial(fraction: float) -> PartialReset:
    """Partial stochastic resetting as in arXiv:2502.04121.

    All parameters called "weight" are ranked together, those chosen are drawn uniformly in +-1/sqrt(n), and the
    optimizer is kept.
    """
    return PartialReset(
        fraction, ranking="global", scope="named_weight", source="uniform", buffers="keep", optimizer="keep"
    )


def ash_adams(shrink: float, noise: float) -> ShrinkPerturb:
    """Shrink and perturb as Ash and Adams define it, arXiv:1910.08475.

    Gaussian noise of standard deviation ``noise`` on all parameters; buffers are kept. They apply it when new
    data arrive, and train on with a fresh optimizer.
    """
    return ShrinkPerturb(shrink, noise, source="gaussian", scope="all", buffers="keep", optimizer="reset")


PRESETS: dict[str, Callable[..., Perturbation]] = {
    "paper_shrink_perturb": paper_shrink_perturb,
    "paper_partial": paper_partial,
    "ash_adams": ash_adams,
}
"""Published perturbations by name."""
