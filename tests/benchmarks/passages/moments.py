"""Exact first and second moments of the first-passage times, from the start 0 to `distance`."""

from math import erf, exp, pi, sqrt

from scipy.integrate import quad
from scipy.special import ndtr


def drifting(drift: float, diffusion: float, distance: float) -> tuple[float, float]:
    """Inverse Gaussian law."""
    mean = distance / drift
    return mean, mean**2 + 2 * diffusion * distance / drift**3


def poisson(diffusion: float, distance: float, rate: float) -> tuple[float, float]:
    """Evans and Majumdar (2011): survival (1 - f) / (s + rate f), f = exp(-distance sqrt((s + rate) / D))."""
    arrival = exp(-distance * sqrt(rate / diffusion))
    slope = -arrival * distance / (2 * sqrt(diffusion * rate))
    mean = (1 - arrival) / (rate * arrival)
    survival_slope = (-slope * rate * arrival - (1 - arrival) * (1 + rate * slope)) / (rate * arrival) ** 2
    return mean, -2 * survival_slope


def periodic(diffusion: float, distance: float, period: float) -> tuple[float, float]:
    """Renewal at each multiple of the period, survival of one period erf(distance / sqrt(4 D t))."""

    def survival(time: float) -> float:
        return erf(distance / sqrt(4 * diffusion * time)) if time > 0 else 1.0

    area = quad(survival, 0, period)[0]
    moment = quad(lambda time: time * survival(time), 0, period)[0]
    stays = survival(period)
    leaves = 1 - stays
    return area / leaves, 2 * (period * area * stays / leaves**2 + moment / leaves)


def ornstein_uhlenbeck(distance: float) -> tuple[float, float]:
    """dx = -x dt + sqrt(2) dW: the standard double integral, then Siegert's (1951) recursion."""

    def first(start: float) -> float:
        return quad(lambda y: exp(y * y / 2) * sqrt(2 * pi) * ndtr(y), start, distance)[0]

    def inner(y: float) -> float:
        return quad(lambda z: exp((y - z) * (y + z) / 2) * first(z), -12, y)[0]

    return first(0.0), 2 * quad(inner, 0, distance, epsabs=1e-4, epsrel=1e-6)[0]
