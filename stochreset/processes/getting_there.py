"""Whether a process of limited speed gets to its target between perturbations at all."""

from __future__ import annotations

import math

from stochreset.kernels.moves import AFFINE, RESTART, Move

SLACK = 1e-9
"""A gap to the target below this part of the way there is rounding."""
MOST_CYCLES = 10_000


def gets_there(start: float, target: float, reach: float, move: Move, whole: bool) -> bool:
    """Whether some run may arrive, where at most ``reach`` is covered from one perturbation to the next.

    Follows the foremost position that a run can have; where it is not clear, the answer is yes. With ``whole``
    perturbations lead to the nearest whole number.

    Examples
    --------
    >>> from stochreset.perturbations import PartialReset, Reset
    >>> gets_there(0, 5, 2.0, Reset().move(), True), gets_there(0, 5, 2.0, PartialReset(0.9).move(), False)
    (False, True)
    """
    unbounded = reach == math.inf or (move.kind == AFFINE and (move.noise > 0 or move.scale < 0))
    if unbounded:
        return True
    sign = math.copysign(1.0, target - start)
    place = float(start)
    for _ in range(MOST_CYCLES):
        foremost = place + sign * reach
        if sign * (target - foremost) <= SLACK * abs(target - start):
            return True
        after = float(start)
        if move.kind == AFFINE:
            after = move.scale * foremost + move.shift
        elif move.kind != RESTART:
            after = sign * max(sign * float(move.table[0]), sign * float(move.table[-1]))
        after = round(after) if whole else after
        if sign * (after - target) >= 0:
            return True
        if sign * (after - place) <= 0:
            return False
        place = after
    return True
