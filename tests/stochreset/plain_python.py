"""Simulate a few runs of some cases; run as a script, without compilation where NUMBA_DISABLE_JIT is set."""

import json
import sys

import numpy as np

from stochreset import Brownian, Informed, OrnsteinUhlenbeck, Periodic, Poisson, ShrinkPerturb, simulate

OU = OrnsteinUhlenbeck(target=1.5)
DRIFTED = Brownian(drift=1.0, diffusion=0.5)
KICK = ShrinkPerturb(0.6, 0.2)
CASES = {
    "lanes, bridge": (OU, Periodic(0.9), KICK, dict(method="bridge", dt=0.25, horizon=4.0)),
    "lanes, euler": (OU, Periodic(0.9), KICK, dict(method="euler", dt=0.25, horizon=4.0)),
    "events, exact": (DRIFTED, Poisson(1.5), KICK, dict(horizon=3.0)),
    "events, informed": (DRIFTED, Informed(Poisson(1.5), below=0.2), KICK, dict(horizon=3.0)),
}


def run_cases() -> dict:
    """Times, censoring marks and steps of each case."""
    result = {}
    for name, (process, protocol, perturbation, arguments) in CASES.items():
        sample = simulate(process, protocol, perturbation, runs=150, seed=5, threads=1, **arguments)
        result[name] = [sample.times.tolist(), sample.censored.tolist(), sample.steps]
    return result


if __name__ == "__main__":
    with np.errstate(over="ignore"):
        json.dump(run_cases(), sys.stdout)
