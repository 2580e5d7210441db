"""The tables."""

from __future__ import annotations

import sys
import tempfile

import numpy as np

from replay.measures import Outcome, pool, quantile, replays
from replay.methods import LADDERS, cheapest, full_grid
from replay.problems import ARCHIVE, HELPS, THRESHOLDS, TOYS, truth, unpack

SHARE = 0.05
BUDGETS = {
    "published": (120, 160, 220, 300, 400, 550, 800),
    "toys": (600, 900, 1_300, 2_000, 3_000, 4_500, 7_000, 10_000),
}


def main(count: int, what: str) -> None:
    """Print all tables."""
    with tempfile.TemporaryDirectory() as folder:
        if what != "toys":
            if ARCHIVE.is_file():
                unpack(folder)
                tables("published", [f"published:{each}" for each in THRESHOLDS], count)
            else:
                print(f"The published runs are left out: they are not at {ARCHIVE}.")
        if what != "published":
            tables("toys", list(TOYS), count)
        pool().shutdown()


def tables(kind: str, problems: list[str], count: int) -> None:
    """Both tables of one kind of problem."""
    at_share(problems, count)
    for problem in problems:
        if HELPS.get(problem, True):
            cheapest_table(problem, BUDGETS[kind], count)


def at_share(problems: list[str], count: int) -> None:
    """Answers at a twentieth of the epochs of the full grid."""
    columns = {
        "regret": 7, "p90": 7, "epochs": 8, "of search": 9, "full grid": 9, "covered": 13, "corrected": 13,
        "perturb/not/undecided": 22, "wrong": 7,
    }  # fmt: skip
    print(
        f"\nsearch with {SHARE:.0%} of the epochs of the full grid, {count} replays. Regret: mean at the chosen point "
        "over the best,\nmedian and 90th percentile; epochs: medians, in all and without the confirmation; covered: by "
        "the 95 % interval of\nthe speed-up, as printed and corrected for a finite supply of recorded runs, ± standard "
        "error\n" + f"{'problem':14s} " + " ".join(f"{name:>{width}s}" for name, width in columns.items())
    )
    for problem in problems:
        grid = truth(problem).grid
        found = replays(problem, "loop", (int(SHARE * grid),), range(count))
        regrets = np.array([each.regret for each in found])
        verdicts = [sum(e.verdict == v for e in found) for v in ("perturb", "do_not_perturb", "undecided")]
        cells = (
            f"{quantile(regrets, 0.5):.3f}",
            f"{quantile(regrets, 0.9):.3f}",
            f"{_median(found, 'epochs'):,.0f}",
            f"{_median(found, 'search'):,.0f}",
            f"{grid:,.0f}",
            _share(found, "covered"),
            _share(found, "corrected"),
            "/".join(map(str, verdicts)),
            "" if HELPS.get(problem, True) else f"{verdicts[0] / count:.1%}",
        )
        row = (f"{cell:>{width}s}" for cell, width in zip(cells, columns.values(), strict=True))
        print(f"{problem:14s} " + " ".join(row), flush=True)


def cheapest_table(problem: str, budgets: tuple[int, ...], count: int) -> None:
    """Fewest epochs of each method for a median regret of 1.05 and a 90th percentile of 1.15."""
    print(
        f"\n{problem}: cheapest setting with median regret at most 1.05 and 90th percentile at most 1.15, {count} "
        f"replays\n{'method':20s} {'setting':>12s} {'median':>7s} {'p90':>7s} {'epochs':>9s}"
    )
    rows = [cheapest(problem, "search", tuple((each,) for each in budgets), count)]
    rows += [cheapest(problem, method, settings, count) for method, settings in LADDERS.items()]
    rows.append(full_grid(problem))
    for row in rows:
        setting = "none" if row.setting is None else " x ".join(map(str, row.setting))
        print(f"{row.method:20s} {setting:>12s} {row.median:7.3f} {row.upper:7.3f} {row.epochs:9,.0f}")
    others = min(rows[1:], key=lambda row: row.epochs)
    ratio = f"search takes {rows[0].epochs / others.epochs:.2f} times the epochs of the best of the others, "
    print(f"{ratio}{others.method}" if rows[0].setting else "search does not get there", flush=True)


def _median(found: list[Outcome], name: str) -> float:
    return float(np.median([getattr(each, name) for each in found]))


def _share(found: list[Outcome], name: str) -> str:
    known = [getattr(each, name) for each in found if getattr(each, name) is not None]
    if not known:
        return "-"
    share = float(np.mean(known))
    return f"{share:.1%} ± {np.sqrt(share * (1 - share) / len(known)):.1%}"


if __name__ == "__main__":
    main(*sys.argv[1:])
