"""What the benchmark asks of a way to simulate."""

from collections.abc import Callable
from dataclasses import dataclass

from passages.works import Work


@dataclass(frozen=True)
class Draw:
    """The outcome of one call."""

    mean: float  # of the passage times
    runs: int
    steps: float | None = None  # useful ones in total; None where the method has no steps
    seconds: float | None = None  # where the method times itself, in another interpreter
    label: str = ""  # what the method chose to do
    law_seconds: float | None = None  # solvers of the law: time to a mean within 0.1 %


@dataclass(frozen=True)
class Method:
    """A way to simulate; `draw(work, runs, seed)`."""

    name: str
    draw: Callable[[Work, int, int], Draw]
    euler: bool = True  # at a fixed step, with a bias proportional to its square root
    samples: bool = True  # False: it solves for the law, and `runs` means nothing
    fewest: int = 100  # runs of one call
    never: tuple[str, str] = ("", "")  # a work whose time to 0.1 % cannot be extrapolated, and what to say


class Unavailable(Exception):
    """The method cannot run here; the message says why."""
