"""The closed loop on real training: `theory.search` with runs that are trained as they are asked for.

`Optimization` says what to train, what to try, what to reach and what it may cost; `optimize` does it in a folder, can
be interrupted and called again, and writes all runs with the answer into runs files.
"""

from training.optimize.optimize import Report, optimize
from training.optimize.settings import Optimization

__all__ = ["Optimization", "Report", "optimize"]
