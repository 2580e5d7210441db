"""Times cut into whole cycles of a period."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def into_cycles(times: NDArray[np.float64], period: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the number of whole cycles before each time, and the time since the last began.

    Rounded first, so that 3 * 0.1 is in the third cycle of 0.1 and not at the end of the second.

    Examples
    --------
    >>> into_cycles(np.array([0.25, 3 * 0.1]), 0.1)[0]
    array([2., 3.])
    """
    cycles = np.floor(np.round(times / period, 10))
    return cycles, np.clip(times - cycles * period, 0.0, period)
