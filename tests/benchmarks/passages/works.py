"""The tasks: one-dimensional diffusions, with and without resetting, with known mean passage times."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from passages import moments

EULER_STEP = 1e-3


@dataclass(frozen=True)
class Work:
    """dx = (drift - stiffness x) dt + sqrt(2 diffusion) dW from `start` until x >= `target`, with resets."""

    name: str
    title: str
    moments: Callable[[], tuple[float, float]]
    drift: float = 0.0
    stiffness: float = 0.0
    diffusion: float = 0.5
    start: float = 0.0
    target: float = 1.0
    rate: float = 0.0  # of Poisson resetting; 0: none
    period: float = 0.0  # of sharp resetting; 0: none

    @property
    def noise(self) -> float:
        return sqrt(2 * self.diffusion)

    @property
    def resets(self) -> bool:
        return self.rate > 0 or self.period > 0

    @cached_property
    def exact(self) -> tuple[float, float]:
        """Mean and standard deviation of the first-passage time."""
        mean, second = self.moments()
        return mean, sqrt(second - mean**2)


WORKS = {
    work.name: work
    for work in (
        Work("W1", "Brownian motion with drift", lambda: moments.drifting(1.0, 0.5, 1.0), drift=1.0),
        Work("W2", "Poisson resetting, rate 2.5", lambda: moments.poisson(0.5, 1.0, 2.5), rate=2.5),
        Work("W2p", "periodic resetting, period 0.5", lambda: moments.periodic(0.5, 1.0, 0.5), period=0.5),
        Work(
            "W3",
            "Ornstein-Uhlenbeck to 2 standard deviations",
            lambda: moments.ornstein_uhlenbeck(2.0),
            stiffness=1.0,
            diffusion=1.0,
            target=2.0,
        ),
    )
}
