"""How many faults the tests of this folder inject: a few of each kind, or with ``make test-faults`` all of them."""

import os

FULL = os.environ.get("STOCHRESET_FAULTS") == "full"


def some_of(numbers, few):
    """All of the numbers at full size, otherwise a ``few`` of them, spread from the first to the last."""
    numbers = list(numbers)
    if FULL or len(numbers) <= few:
        return numbers
    return [numbers[round(place * (len(numbers) - 1) / (few - 1))] for place in range(few)]
