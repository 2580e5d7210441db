"""Each method warm, with as many runs as fill a fixed time, then all methods in turns."""

from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

from passages.methods import Draw, Method, Unavailable
from passages.works import Work

FILL = 1.0  # seconds of one timed call
MOST_RUNS = 10_000_000
MOST_REPEATS_OF_A_LAW = 3


@dataclass
class Measured:
    """A method on one work."""

    method: Method
    work: Work
    runs: int = 1
    draws: list[tuple[float, Draw]] = field(default_factory=list)  # seconds, outcome
    unavailable: str = ""

    @property
    def label(self) -> str:
        return self.method.name + (self.draws[-1][1].label if self.draws else "")

    @property
    def seconds_per_run(self) -> float:
        return median(seconds / draw.runs for seconds, draw in self.draws)

    @property
    def step_rate(self) -> float | None:
        """Useful steps a second."""
        if self.draws[0][1].steps is None:
            return None
        return median(draw.steps / seconds for seconds, draw in self.draws if draw.steps is not None)

    @property
    def bias(self) -> tuple[float, float]:
        """Of the mean passage time and its standard error, relative to the exact mean."""
        total = sum(draw.runs for _, draw in self.draws)
        exact, deviation = self.work.exact
        mean = sum(draw.mean * draw.runs for _, draw in self.draws) / total
        return mean / exact - 1, deviation / exact / total**0.5 if self.method.samples else 0.0


def _call(measured: Measured, seed: int) -> tuple[float, Draw]:
    start = perf_counter()
    draw = measured.method.draw(measured.work, measured.runs, seed)
    return draw.seconds or perf_counter() - start, draw


def _fill(measured: Measured) -> None:
    """Choose the number of runs; the first call compiles."""
    measured.runs = measured.method.fewest
    _call(measured, 1)
    while True:
        seconds, _ = _call(measured, 2)
        if seconds >= FILL / 10 or measured.runs >= MOST_RUNS:
            break
        measured.runs *= 10
    wanted = round(measured.runs * FILL / seconds)
    measured.runs = max(measured.method.fewest, min(MOST_RUNS, wanted))


def measure(work: Work, methods: list[Method], repeats: int) -> list[Measured]:
    """Time the methods in turns, so that all share what else the machine does."""
    rows = [Measured(method, work) for method in methods]
    for row in rows:
        try:
            if row.method.samples:
                _fill(row)
        except Unavailable as reason:
            row.unavailable = str(reason)
    for repeat in range(repeats):
        for row in rows:
            if row.unavailable or (not row.method.samples and repeat >= MOST_REPEATS_OF_A_LAW):
                continue
            try:
                row.draws.append(_call(row, 1000 + repeat))
            except Unavailable as reason:
                row.unavailable = str(reason)
    return rows
