r"""The exact optimum among all policies, for plateaus of known law that take a known time to settle.

After n values the plateau is normal with mean mu and variance noise² / (kappa_0 + n), kappa_0 = (noise / spread)².
The cost from there on is V_n(mu) = min(tau, 1 + E[1(next value short of the threshold) V_{n+1}(mu')]), from the far
end V(M) = min(tau, 1 / hazard(M)) backwards, and tau the fixed point of tau = dead epochs + V_0.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

GRID, QUANTILES, VALUES = 601, 64, 80


def best_tau(
    threshold: float, mean: float, spread: float, noise: float, dead: int, one_step: bool = False
) -> float:
    """Mean time from a perturbation to the goal under the best policy, or under the one-step rule with that tau."""
    tau = 2.0 * dead + 2
    for _ in range(200):
        found = dead + _from_the_start(tau, threshold, mean, spread, noise, one_step)
        if abs(found - tau) < 1e-5 * tau:
            break
        tau = found
    return tau


def _from_the_start(
    tau: float, threshold: float, mean: float, spread: float, noise: float, one_step: bool
) -> float:
    mu = np.linspace(mean - 6 * spread, mean + 6 * spread, GRID)
    value = np.minimum(tau, 1 / np.maximum(ndtr((mu - threshold) / noise), 1e-300))
    shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
    for n in range(VALUES - 1, -1, -1):
        weight = (noise / spread) ** 2 + n
        sd = noise * np.sqrt(1 + 1 / weight)
        short = ndtr((threshold - mu) / sd)
        seen = mu[:, None] + sd * ndtri(np.clip(shares * short[:, None], 1e-300, 1 - 1e-16))
        after = (weight * mu[:, None] + seen) / (weight + 1)
        wait = 1 + short * np.interp(after, mu, value).mean(axis=1)
        value = np.where(1 - short < 1 / tau, tau, wait) if one_step else np.minimum(tau, wait)
    return float(np.interp(mean, mu, wait))
