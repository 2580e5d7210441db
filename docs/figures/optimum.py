"""The optimum of the constant response: the period at which the hazard falls through one over the residual time.

A kinetic network with three traps, reset to its start, solved without sampling error. Takes a second. Usage: python
optimum.py [FIGURE.png]
"""

import sys

import numpy as np

from theory.numerical import MarkovChain, compare_predictions

PERIODS = np.geomspace(1.0, 60.0, 60)


def network() -> MarkovChain:
    """Three steps to the target, the last state, with a deep trap off each."""
    rates = np.zeros((7, 7))
    for state, onward in ((0, 1), (1, 2), (2, 6)):
        rates[state, onward] = 1.0
        rates[state, 3 + state], rates[3 + state, state] = 0.5, 0.02
    return MarkovChain(rates, start=0, targets=6)


def main(figure: str | None = None) -> None:
    """Print the optimum by the condition and the exact one; draw both where a figure is named."""
    process = network()
    result = compare_predictions(process.chain, process.reset(0), 3.0, PERIODS)
    print(f"hazard = 1/tau at period {result.optimum:.3g}; smallest exact mean at {result.best_exact:.3g}")
    if figure is None:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, (above, below) = plt.subplots(2, 1, figsize=(6, 5.4), sharex=True, layout="constrained")
    above.plot(result.periods, result.exact, color="black", lw=1.4, label="exact")
    above.plot(result.periods, result.constant, color="#0072B2", ls="--", lw=1.6, label="constant response")
    above.plot(result.best_exact, result.exact.min(), "o", color="black", ms=5, label="smallest exact mean")
    above.set(
        ylabel=r"mean $\langle T_P\rangle$ (1 / rate of a step)",
        ylim=(0, 1.6 * result.exact.max()),
        xscale="log",
    )
    below.plot(result.periods, result.hazard, color="#D55E00", lw=1.6, label="hazard h(t)")
    below.axhline(1 / result.tau, color="0.4", ls="--", lw=1, label=r"$1/\langle\tau\rangle$")
    below.set(xlabel="period P (above), time t (below), both in 1 / rate of a step")
    below.set(ylabel="rate / rate of a step", ylim=(0, None))
    above.axvline(result.measured_period, color="#0072B2", ls=":", lw=1.2, label="measured period")
    for axes in (above, below):
        axes.axvline(result.optimum, color="0.4", ls=":", lw=1.2, label=r"$h(P) = 1/\langle\tau\rangle$")
    above.legend(frameon=False, fontsize="small", loc=(0.42, 0.5))
    below.legend(frameon=False, fontsize="small")
    fig.savefig(figure, dpi=130)


if __name__ == "__main__":
    main(*sys.argv[1:2])
