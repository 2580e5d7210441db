"""Every kind of perturbation from a file, and when it is applied."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from scipy import stats  # noqa: E402

from theory.protocols import renewal  # noqa: E402
from training.perturbations import (  # noqa: E402
    KINDS,
    PRESETS,
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
from training.protocols import Once, Periodic, Poisson  # noqa: E402
from training.study.settings import Treatment  # noqa: E402

from .one_treatment import only  # noqa: E402

WHAT = {
    "shrink_perturb": ('noise = 0\nsource = "gaussian"', ShrinkPerturb(noise=0.0, source="gaussian")),
    "stochastic_reset": ('optimizer = "keep"', StochasticReset(optimizer="keep")),
    "partial_reset": ("fraction = 0.2", PartialReset(0.2)),
    "layer_reset": ('layers = ["2", "4"]', LayerReset(layers=("2", "4"))),
    "weight_noise": ("noise = 0.1\nrelative = true", WeightNoise(0.1, relative=True)),
    "warm_restart": ("", WarmRestart()),
    "optimizer_reset": ("", OptimizerReset()),
}
PUBLISHED = {
    "paper_shrink_perturb": ("shrink = 0.3", paper_shrink_perturb(shrink=0.3)),
    "paper_partial": ("fraction = 0.1", paper_partial(0.1)),
    "ash_adams": ("shrink = 0.5\nnoise = 0.01", ash_adams(0.5, 0.01)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_perturbations(load_with, kind):
    keys, made = WHAT[kind]
    text = f'[[perturbation]]\nkind = "{kind}"\n{keys}\nperiod = 9'
    assert only(load_with(tables=text)) == Treatment(made, Periodic(9))


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(load_with, preset):
    keys, made = PUBLISHED[preset]
    text = f'[[perturbation]]\npreset = "{preset}"\n{keys}\nperiod = 9'
    assert only(load_with(tables=text)) == Treatment(made, Periodic(9))


def test_compositions_hold_kinds_presets_and_compositions(load_with):
    parts = """[
  {kind = "weight_noise", noise = 0.1},  # first
  {preset = "paper_partial", fraction = 0.1},
  {parts = [{kind = "warm_restart"}]},
]"""
    made = only(load_with(tables=f"[[perturbation]]\nparts = {parts}\nperiod = 9")).perturbation
    assert made == Composed((WeightNoise(0.1), paper_partial(0.1), Composed((WarmRestart(),))))


@pytest.mark.parametrize(
    ("keys", "protocols"),
    [
        ("period = 20", [Periodic(20)]),
        ("periods = [20, 30]", [Periodic(20), Periodic(30)]),
        ("period = 20\nbranch_at = [20, 60]", [Periodic(20), Periodic(20, 60)]),
        ("period = 20\nbranch_at = 60", [Periodic(20), Periodic(20, 60)]),
        ("rate = 1", [Poisson(1.0)]),
        ("rates = [0.1, 1]", [Poisson(0.1), Poisson(1.0)]),
        ("once = 30", [Once(30)]),
        ("once = [30, 40]", [Once(30), Once(40)]),
    ],
)
def test_protocols(load_with, keys, protocols):
    study = load_with(tables=f'[[perturbation]]\nkind = "warm_restart"\n{keys}')
    assert [treatment.protocol for treatment in study.treatments] == protocols


@pytest.mark.parametrize(
    ("keys", "law", "label"),
    [
        ("gamma = {shape = 4, scale = 5}", renewal(stats.gamma(4, scale=5)), "gamma-20.5"),
        ("[perturbation.gamma]\nshape = 4\nscale = 5", renewal(stats.gamma(4, scale=5)), "gamma-20.5"),
        ("uniform = {shortest = 10, longest = 30}", renewal(stats.randint(10, 31)), "uniform-20"),
        ("uniform = {shortest = 7, longest = 7}", renewal(stats.randint(7, 8)), "uniform-7"),
    ],
)
def test_renewals(load_with, keys, law, label):
    treatment = only(load_with(tables=f'[[perturbation]]\nkind = "warm_restart"\n{keys}'))
    assert treatment.protocol.law.beyond.tolist() == law.beyond.tolist()
    assert treatment.group == f"warm_restart:{label}"


def test_uniform_intervals_include_both_ends(load_with):
    keys = "uniform = {shortest = 2, longest = 4}"
    protocol = only(load_with(tables=f'[[perturbation]]\nkind = "warm_restart"\n{keys}')).protocol
    assert {protocol.interval(seed, 1) for seed in range(50)} == {2, 3, 4}


def test_one_name_for_two_tables_of_the_same_perturbation(load_with):
    table = '[[perturbation]]\nkind = "warm_restart"\n'
    study = load_with(tables=f"{table}period = 20\n{table}gamma = {{shape = 4, scale = 5}}")
    assert [treatment.name for treatment in study.treatments] == ["warm_restart"] * 2
