"""What each perturbation says that it needs, option by option."""

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from training.perturbations import (  # noqa: E402
    KINDS,
    Composed,
    LayerReset,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
    WeightNoise,
    ash_adams,
    paper_partial,
    paper_shrink_perturb,
)

INITIALISING = [
    ShrinkPerturb(),
    ShrinkPerturb(source="gaussian", buffers="scale"),
    ShrinkPerturb(source="gaussian", buffers="reset"),
    ShrinkPerturb(buffers="recalibrate"),
    StochasticReset(),
    StochasticReset(buffers="keep"),
    PartialReset(0.2),
    PartialReset(0.2, source="uniform", buffers="reset"),
    LayerReset(),
    WeightNoise(0.1, buffers="reset"),
    Composed((WarmRestart(), LayerReset())),
    paper_shrink_perturb(),
]
OTHERS = [
    ShrinkPerturb(source="gaussian"),
    ShrinkPerturb(source="gaussian", buffers="recalibrate"),
    StochasticReset("start.pt"),
    StochasticReset("start.pt", buffers="recalibrate"),
    PartialReset(0.2, source="uniform"),
    PartialReset(0.2, source="uniform", buffers="recalibrate"),
    WeightNoise(0.1),
    WeightNoise(0.1, buffers="recalibrate"),
    WarmRestart(),
    OptimizerReset(),
    Composed((WarmRestart(), WeightNoise(0.1, buffers="recalibrate"))),
    ash_adams(0.6, 0.01),
    paper_partial(0.2),
]


def buffers_of(perturbation):
    parts = perturbation.parts if isinstance(perturbation, Composed) else (perturbation,)
    return {getattr(part, "buffers", None) for part in parts}


def kinds_of(perturbation):
    return set(map(type, perturbation.parts)) if isinstance(perturbation, Composed) else {type(perturbation)}


@pytest.mark.parametrize("perturbation", [*INITIALISING, *OTHERS], ids=repr)
def test_what_each_needs(perturbation):
    assert perturbation.initialises is any(perturbation is each for each in INITIALISING)
    assert perturbation.recalibrates is ("recalibrate" in buffers_of(perturbation))
    assert perturbation.restarts is (WarmRestart in kinds_of(perturbation))


def test_the_list_is_complete():
    assert set().union(*map(kinds_of, [*INITIALISING, *OTHERS])) == set(KINDS.values())
