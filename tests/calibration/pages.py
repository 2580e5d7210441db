"""The page of the documentation that shows the tables."""

from __future__ import annotations

import platform
from datetime import date

import numpy as np
import scipy
from bias import RUNS, Bias
from intervals import Coverage
from verdicts import Share

Z = 3.0
"""Standard errors from the promise beyond which a row is marked."""

HEAD = """# Calibration

Every interval that the package prints, its verdict on a quasi-steady state, and its estimators where runs are
censored, on simulated studies whose truth is known exactly. `make calibrate` runs all of this again and rewrites this
page. Figures are shares or means over the replicas, ± one standard error; **bold**: further than three of them from
what is promised.
"""
READING = """
What to make of it:

 - Passage times are skewed, and so are their means. The intervals allow for it, and from 20 runs cover some 92 to 95 %;
   where the law has a long tail that few runs do not show they miss above more often than below. `predict`, `rank` and
   `report` say so where fewer than 20 runs are behind an interval. Residual times inverted from means, and speed-ups
   confirmed by 8 + 8 runs, cover some 90 %.
 - The interval of the best period is wide: a curve is flat near its minimum, and all of it counts as best.
 - The shift that a verdict states as detectable is the one found in 90 % of its simulations. These take the law of one
   study for that of all, and over studies it is found in some 80 %.
 - Residual times that are censored give a lower bound of their mean, and are marked so. A prediction by cycles
   replaces what was not watched by bounds, half of whose distance is its bias.
 - A search gives up runs that take long; their times go on at a constant rate, which is too long where hazards
   recover. The confirmation gives up none.
"""

INTERVALS = """
## Coverage of the 95 % intervals

The studies are of a toy with hazards known for every epoch (unperturbed runs + perturbed runs), complete samples of a
gamma law, or Brownian first passages. "Too low" is the share of intervals that lie wholly below the truth.

| interval | runs | covers | too low | too high |
|---|---|---|---|---|
"""

VERDICTS = """
## The verdict on a quasi-steady state

Runs of 60 epochs whose law rises for 12 epochs. The epoch found is a lower bound: it may exceed the true one in at most
5 % of the studies. The tolerated shift is a quarter of the spread between runs.

| what | runs | share | promised |
|---|---|---|---|
"""

BIAS = f"""
## Bias under censoring

{RUNS} unperturbed and {RUNS} perturbed runs; some are lost at random times, whether they would have arrived soon or
not. Bias relative to the truth.

| estimate | runs lost | bias | |
|---|---|---|---|
"""


def page(intervals: list[Coverage], verdicts: list[Share], bias: list[Bias], seconds: float) -> str:
    """The whole page."""
    lines = [HEAD.rstrip("\n"), READING, INTERVALS.strip("\n")]
    for row in intervals:
        cells = f"{row.covered:.1%} ± {row.error:.1%}"
        if abs(row.covered - 0.95) > Z * row.error:
            cells = f"**{cells}**"
        lines.append(f"| {row.name} | {row.runs} | {cells} | {row.below:.1%} | {row.above:.1%} |")
    lines.append(VERDICTS.rstrip("\n"))
    for share in verdicts:
        cells = f"{share.share:.1%} ± {share.error:.1%}"
        if _broken(share):
            cells = f"**{cells}**"
        lines.append(f"| {share.name} | {share.runs} | {cells} | {share.promised} |")
    lines.append(BIAS.rstrip("\n"))
    for each in bias:
        cells = f"{each.bias:+.2%} ± {each.error:.2%}"
        if abs(each.bias) > Z * each.error and not each.note:
            cells = f"**{cells}**"
        lines.append(f"| {each.name} | {each.censored} | {cells} | {each.note} |")
    lines.append("")
    most = max(row.replicas for row in intervals)
    lines.append(
        f"{most:,} replicas of each interval, {verdicts[0].replicas:,} of each verdict, {bias[0].replicas:,} of each "
        "bias; "
        f"{seconds / 60:.0f} minutes on two cores, {date.today().isoformat()}, "
        f"Python {platform.python_version()}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}."
    )
    return "\n".join(lines) + "\n"


def _broken(share: Share) -> bool:
    if share.promised.startswith("≤"):
        return share.share > 0.05 + Z * share.error
    return share.promised == "80 %" and abs(share.share - 0.8) > Z * share.error
