"""How many faults the tests of this folder inject: a few of each kind, or with ``make test-faults`` all of them."""

import os

FULL = os.environ.get("STOCHRESET_FAULTS") == "full"


def some_of(numbers, few, many=None):
    """A ``few`` of the numbers, or ``many`` at full size, spread from the first to the last; all where that is None."""
    numbers = list(numbers)
    wanted = many if FULL else few
    if wanted is None or len(numbers) <= wanted:
        return numbers
    return [numbers[round(place * (len(numbers) - 1) / (wanted - 1))] for place in range(wanted)]
