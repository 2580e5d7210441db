"""Error of the quasi-steady-state predictions against exact means, as a function of period over relaxation time.

A double well under shrink and perturb, solved numerically without sampling error: the constant and the cycle-resolved
response are taken from the exact law at one period and held against the exact mean at all others. Takes a few seconds.
Usage: python qss_error.py [CELLS] [FIGURE.png]
"""

import sys

import numpy as np

from theory.numerical import (
    AffineMap,
    FokkerPlanck,
    check_linear_response,
    compare_predictions,
    plot_qss_error,
)


def main(cells: int = 200, figure: str | None = None) -> None:
    """Print the errors, the optimum and the linear response; draw the errors where a figure is named."""
    solver = FokkerPlanck(
        potential=lambda x: (x**2 - 1) ** 2, diffusion=0.35, start=-1, target=1, cells=cells
    )
    kick = solver.kernel(AffineMap(0.3, noise=0.2))
    relaxation = solver.chain.quasi_steady_state().relaxation_time
    periods = relaxation * np.geomspace(0.3, 30, 17)
    result = compare_predictions(solver.chain, kick, 10 * relaxation, periods)
    print(
        f"relaxation time {relaxation:.4g}, measured period {result.measured_period:.4g}, tau {result.tau:.4g}"
    )
    print("  P / t_rel    exact   constant     cycles   (relative errors)")
    for scaled, exact, one, other in zip(
        result.scaled_periods, result.exact, result.constant_error, result.cycles_error, strict=True
    ):
        print(f"  {scaled:9.3f}  {exact:7.3f}  {one:9.2e}  {other:9.2e}")
    crossing = f"at {result.optimum:.4g}" if np.isfinite(result.optimum) else "nowhere on these periods"
    print(f"best of these periods: {result.best_exact:.4g}; the hazard falls through 1/tau {crossing}")
    check = check_linear_response(solver.chain, kick)
    print(f"linear response {check.slope:.6g}, finite difference of exact means {check.difference:.6g}")
    if figure is not None:
        import matplotlib

        matplotlib.use("Agg")
        axes = plot_qss_error(result)
        axes.set_title("Double well, shrink and perturb", fontsize="medium")
        axes.figure.savefig(figure, dpi=130)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:2]), *sys.argv[2:3])
