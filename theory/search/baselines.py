"""Searches that know nothing of first passage, to compare with: grid, random, successive halving, TPE.

Each asks the same environment for independent runs and returns the candidate and period of the smallest mean.
"""

from __future__ import annotations

import numpy as np

from theory.search.environment import Candidate, Environment
from theory.search.evidence import Key, restricted


class Tally:
    """Runs dealt at each point, and their mean times up to the goal."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.times: dict[Key, list[float]] = {}
        self.keys = all_keys(environment)

    def add(self, key: Key, runs: int) -> int:
        """Get runs at a point; how many there were."""
        found = self.environment.fresh(*key, runs)
        if found is None:
            return 0
        self.times.setdefault(key, []).extend(
            restricted(found, self.environment.goal, self.environment.horizon)
        )
        return len(found)

    def mean(self, key: Key) -> float:
        """Mean time at a point, epochs; infinite where nothing was measured."""
        return float(np.mean(self.times[key])) if key in self.times else float("inf")

    def best(self) -> Key:
        """Point of the smallest mean."""
        return min(self.keys, key=self.mean)


def all_keys(environment: Environment) -> list[Key]:
    """Every candidate at every period."""
    return [(each, period) for each in environment.candidates for period in environment.periods(each)]


def grid_search(environment: Environment, runs: int) -> Key:
    """So many runs at every point."""
    tally = Tally(environment)
    for key in tally.keys:
        tally.add(key, runs)
    return tally.best()


def random_search(environment: Environment, points: int, runs: int, seed: int) -> Key:
    """So many runs at each of some points chosen at random."""
    tally = Tally(environment)
    order = np.random.default_rng(seed).permutation(len(tally.keys))
    for row in order[:points]:
        tally.add(tally.keys[row], runs)
    return tally.best()


def successive_halving(environment: Environment, first: int = 1, factor: int = 3) -> Key:
    """So many runs at every point, then ``factor`` times as many at the best of them, one in ``factor``, and so on.

    Source: Jamieson and Talwalkar, AISTATS 2016, with the number of runs as the resource.
    """
    tally = Tally(environment)
    alive, runs = tally.keys, first
    while True:
        for key in alive:
            tally.add(key, runs - len(tally.times.get(key, [])))
        alive = sorted(alive, key=tally.mean)[: -(-len(alive) // factor)]
        if len(alive) == 1:
            return alive[0]
        runs *= factor


def tpe_search(environment: Environment, trials: int, runs: int, seed: int) -> Key:
    """Optuna's tree-structured Parzen estimator over candidate and logarithm of the period.

    A trial is so many runs; where it comes back to a point, all runs there count.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tally = Tally(environment)
    named: dict[str, Candidate] = {each.name: each for each in environment.candidates}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=False))
    for _ in range(trials):
        trial = study.ask()
        candidate = named[trial.suggest_categorical("candidate", list(named))]
        periods = np.array(environment.periods(candidate))
        place = trial.suggest_float(f"log_period_{candidate.name}", np.log(periods[0]), np.log(periods[-1]))
        key = (candidate, int(periods[np.argmin(np.abs(np.log(periods) - place))]))
        tally.add(key, runs)
        study.tell(trial, tally.mean(key))
    return tally.best()
