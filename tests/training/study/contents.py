"""What a runs file holds, without the times taken, and whether two of them hold the same."""

import numpy as np

from training import read_runs


def contents(path):
    return {
        group.name: (group.seeds.tolist(), {n: v for n, v in group.metrics.items() if n != "epoch_seconds"})
        for group in read_runs(path)
    }


def same(first, second):
    assert first.keys() == second.keys()
    return all(
        first[name][0] == second[name][0]
        and all(np.array_equal(v, second[name][1][n], equal_nan=True) for n, v in first[name][1].items())
        for name in first
    )
