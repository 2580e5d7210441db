r"""Analytic (delta-method) standard error of the constant-response prediction, beside the bootstrap.

<T_P> = sum_{t<P} S(t) + S(P) <tau> depends on the hazards before P and on <tau>, which comes from the same
perturbed runs but from later epochs, and is therefore uncorrelated with them. A change of the hazard
at epoch t_j changes <T_P> by the mean time still to come after it, so that

    Var = sum_{t_j <= P} [sum_{t_j <= t < P} S(t) + S(P) <tau>]^2 d_j / (n_j (n_j - d_j)) + S(P)^2 Var(<tau>),

Greenwood's formula with d_j arrivals among n_j runs at risk.
"""

from __future__ import annotations

import numpy as np

from theory.passages import PassageSample
from theory.survival import kaplan_meier


def constant_stderr(free: PassageSample, residual: PassageSample, period: int) -> float:
    """Delta-method standard error of the constant-response <T_P>, epochs.

    Parameters
    ----------
    free : PassageSample
        Passage times, in epochs, of the unperturbed runs and of any others before their first perturbation.
    residual : PassageSample
        Uncensored residual times after the first perturbation.
    period : int
        Epochs, within the time watched.
    """
    if residual.n_censored:
        raise ValueError(
            f"`residual` has {residual.n_censored} censored times; the delta method needs them complete, "
            "use the bootstrap of measure_response"
        )
    curve = kaplan_meier(free)
    tau = residual.times.mean()
    tau_variance = residual.times.var(ddof=1) / len(residual)
    s_period = float(curve.evaluate(period))
    early = (curve.times <= period) & (curve.events > 0)
    times, n, d = curve.times[early], curve.at_risk[early], curve.events[early]
    grid = np.arange(period)
    ahead = np.array([curve.evaluate(grid[grid >= t]).sum() for t in times]) + s_period * tau
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(ahead > 0, ahead**2 * d / (n * (n - d)), 0.0)
    return float(np.sqrt(terms.sum() + s_period**2 * tau_variance))
