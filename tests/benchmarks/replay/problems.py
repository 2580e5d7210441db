"""Problems whose best perturbation and period are known: published runs by all their data, toys exactly."""

from __future__ import annotations

import math
import os
import tarfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from stochreset import Autoregression, PlateauMixture, ToyEnvironment
from theory import Study
from theory.search import Candidate, Environment, ReplayEnvironment

ARCHIVE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "published-traces.tar.xz"
RUNS_FILE = "REPLAY_RUNS_FILE"
THRESHOLDS = (72, 73, 74, 75, 76)
TOYS = ("rising", "plateaus", "restart", "frozen", "setback")
TOY_GRID_RUNS = 150
"""Runs at each point of the full grid of a toy; the published grid has 3,950 at 26 points, 152 at each."""
HELPS = {"rising": True, "plateaus": True, "restart": True, "frozen": False, "setback": False}


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a search should find: means of min(T, horizon), by candidate and period, and without perturbation."""

    means: dict[tuple[str, int], float]
    unperturbed: float
    grid: float

    @property
    def best(self) -> float:
        """Smallest mean."""
        return min(self.means.values())


def unpack(folder: str) -> None:
    """Import the published runs into ``folder``, and tell the workers where they are."""
    from training import import_published

    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(Path(folder) / "published", filter="data")
    os.environ[RUNS_FILE] = str(import_published(f"{folder}/published", f"{folder}/published.h5").path)


@cache
def study() -> Study:
    """The published runs."""
    from training import read_study

    return read_study(os.environ[RUNS_FILE])


def threshold(problem: str) -> float:
    """Goal of a problem."""
    goals = {"rising": 72.5, "plateaus": 72.5, "restart": 2.5, "frozen": 72.2, "setback": 1.5}
    return goals.get(problem) or float(problem.partition(":")[2])


def environment(problem: str, seed: int) -> Environment:
    """A new environment."""
    goal = threshold(problem)
    if problem not in TOYS:
        return ReplayEnvironment(study(), goal, seed)
    if problem in ("rising", "plateaus", "frozen"):
        models, periods = _plateaus(problem), (2, 3, 5, 7, 10, 14, 20, 30, 50, 80)
        return ToyEnvironment(models, goal=goal, horizon=200, periods=periods, seed=seed)
    periods = (2, 4, 7, 10, 14, 20, 30, 50, 80)
    start = 1.5 if problem == "restart" else -1.5
    models = {
        Candidate(f"keep {keep:g}", "back", (("keep", keep),)): Autoregression(
            memory=0.95, start=start, keep=keep
        )
        for keep in (0.0, 0.4, 0.8)
    }
    return ToyEnvironment(models, goal=goal, horizon=400, periods=periods, seed=seed)


def _plateaus(problem: str) -> dict[str, PlateauMixture]:
    """Three perturbations, mild, strong, and a full reset.

    In ``rising`` they raise the plateaus, in ``plateaus`` they shuffle them, in ``frozen`` they only set runs back.
    """
    rising = problem == "rising"
    model = PlateauMixture(
        plateau_mean=71.5 if rising else 71.9,
        plateau_spread=0.3 if rising else 0.5,
        noise=0.15,
        depth=30,
        relaxation_time=3,
    )
    memory = (1.0, 1.0, 1.0) if problem == "frozen" else (0.9, 0.5, 0.0)
    gain = (0.02, 0.2, 0.25) if rising else (0.0, 0.0, 0.0)
    return {
        "mild": replace(model, depth_after=2, relaxation_time_after=1, memory=memory[0], gain=gain[0]),
        "strong": replace(model, depth_after=12, relaxation_time_after=2, memory=memory[1], gain=gain[1]),
        "reset": replace(model, memory=memory[2], gain=gain[2]),
    }


@cache
def truth(problem: str) -> Truth:
    """Truth of a problem; the full grid of the toys has `TOY_GRID_RUNS` runs at each candidate and period."""
    known, goal = environment(problem, 0), threshold(problem)
    means = known.truth(goal)
    if isinstance(known, ToyEnvironment):
        return Truth(means, known.unperturbed_truth(goal), TOY_GRID_RUNS * sum(means.values()))
    free = study().unperturbed.first_passage(goal).times.mean()
    return Truth(means, float(free), float(known.grid_epochs()))


def recorded(problem: str, name: str | None, period: int | None) -> float:
    """Number of runs that there are to be dealt."""
    if problem in TOYS:
        return math.inf
    return len(study().unperturbed if name is None else study().ensemble(name, int(period or 0)))
