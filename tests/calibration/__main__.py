"""How far the numbers can be trusted: Monte Carlo with known truth.

Usage: python tests/calibration [REPLICAS] [--out FILE]

Coverage of every interval that the package prints, size and power of the verdict on a quasi-steady state, and bias of
the estimators where runs are censored. 400 replicas take 16 minutes on two cores. The table goes to
docs/calibration.md, where the documentation shows it; fewer than 400 replicas are only printed.
"""

import argparse
import sys
import time
from pathlib import Path

from bias import censored_rows
from intervals import interval_rows
from pages import page
from verdicts import verdict_rows
from work import Workers

FULL = 400
PAGE = Path(__file__).resolve().parents[2] / "docs" / "calibration.md"


def main() -> None:
    """Run all parts and write the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("replicas", nargs="?", type=int, default=FULL)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    out = chosen.out or (PAGE if chosen.replicas >= FULL else None)
    if out is not None and not out.parent.is_dir():
        sys.exit(f"--out {out}: the folder {out.parent} does not exist")
    start = time.perf_counter()
    with Workers() as workers:
        intervals = interval_rows(workers, chosen.replicas)
        verdicts = verdict_rows(workers, max(20, chosen.replicas // 5))
        bias = censored_rows(workers, 10 * chosen.replicas)
    text = page(intervals, verdicts, bias, time.perf_counter() - start)
    print(text)
    if out is not None:
        out.write_text(text)
        print(f"written to {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
