import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import (  # noqa: E402
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    fresh_parameters,
)

SEEDS = (3, 11, 4)


def factory():
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.LayerNorm(5), nn.Linear(5, 3))


def state(draw=0):
    parameters = fresh_parameters(factory, SEEDS, draw)
    return parameters, {name: torch.full_like(value, 0.5) for name, value in parameters.items()}


def plain(perturbation, parameters, fresh, run):
    """One run, one scalar at a time, in Python numbers."""
    result = {}
    ranked = sorted(
        abs(number)
        for name, value in parameters.items()
        if name.endswith("weight")
        for number in value[run].flatten().tolist()
    )
    for name, value in parameters.items():
        pairs = zip(value[run].flatten().tolist(), fresh[name][run].flatten().tolist(), strict=True)
        if isinstance(perturbation, ShrinkPerturb):
            result[name] = [perturbation.shrink * old + perturbation.noise * new for old, new in pairs]
        elif isinstance(perturbation, StochasticReset):
            result[name] = [new for _, new in pairs]
        elif name.endswith("weight"):
            count = round(perturbation.fraction * len(ranked))
            result[name] = [new if abs(old) < ranked[count] else old for old, new in pairs]
        else:
            result[name] = [old for old, _ in pairs]
    return result


@pytest.mark.parametrize(
    "perturbation",
    [ShrinkPerturb(), ShrinkPerturb(0.4, 0.1), StochasticReset(), PartialReset(0.1), PartialReset(0.55)],
    ids=repr,
)
def test_every_value_is_that_of_a_plain_loop_over_one_run(perturbation):
    parameters, momenta = state()
    fresh = fresh_parameters(factory, SEEDS, 1)
    after, _ = perturbation.apply(parameters, momenta, fresh)
    assert after.keys() == parameters.keys()
    for run in range(len(SEEDS)):
        for name, expected in plain(perturbation, parameters, fresh, run).items():
            np.testing.assert_allclose(after[name][run].flatten(), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", [ShrinkPerturb, StochasticReset, lambda **k: PartialReset(0.3, **k)])
@pytest.mark.parametrize("fresh_optimizer", [True, False])
def test_the_flag_chooses_what_becomes_of_the_momentum(kind, fresh_optimizer):
    parameters, momenta = state()
    momenta["0.weight"][0, 0, 0] = torch.nan
    _, after = kind(fresh_optimizer=fresh_optimizer).apply(parameters, momenta, state(1)[0])
    for name, value in momenta.items():
        expected = torch.zeros_like(value) if fresh_optimizer else value
        torch.testing.assert_close(after[name], expected, rtol=0, atol=0, equal_nan=True)


def test_by_default_only_a_partial_reset_keeps_the_optimizer():
    assert ShrinkPerturb().fresh_optimizer and StochasticReset().fresh_optimizer
    assert not PartialReset(0.3).fresh_optimizer


@pytest.mark.parametrize("perturbation", [ShrinkPerturb(), StochasticReset(), PartialReset(0.3)], ids=repr)
def test_arguments_stay_as_they_are_and_share_no_memory_with_the_result(perturbation):
    arguments = (*state(), state(1)[0])
    before = [{name: value.clone() for name, value in part.items()} for part in arguments]
    for part in perturbation.apply(*arguments):
        for value in part.values():
            value.fill_(7.0)
    for part, copy in zip(arguments, before, strict=True):
        for name, value in part.items():
            assert torch.equal(value, copy[name])


def test_limits():
    parameters, momenta = state()
    fresh = state(1)[0]
    reset = StochasticReset().apply(parameters, momenta, fresh)[0]
    unchanged = ShrinkPerturb(1.0, 0.0).apply(parameters, momenta, fresh)[0]
    replaced = ShrinkPerturb(0.0, 1.0).apply(parameters, momenta, fresh)[0]
    whole = PartialReset(1.0).apply(parameters, momenta, fresh)[0]
    for name, value in parameters.items():
        assert torch.equal(unchanged[name], value)
        assert torch.equal(replaced[name], reset[name]) and torch.equal(reset[name], fresh[name])
        assert torch.equal(whole[name], fresh[name] if name.endswith("weight") else value)


def test_a_partial_reset_counts_exactly_even_among_equal_magnitudes():
    parameters = {"weight": torch.zeros(2, 10), "bias": torch.zeros(2, 3)}
    fresh = {name: torch.ones_like(value) for name, value in parameters.items()}
    after, _ = PartialReset(0.3).apply(parameters, parameters, fresh)
    assert after["weight"].sum(1).tolist() == [3.0, 3.0]
    assert after["bias"].sum() == 0


def test_a_fresh_initialisation_is_that_of_the_factory():
    parameters = fresh_parameters(lambda: nn.Linear(400, 500), (1, 2), 0)
    weight = parameters["weight"]
    assert weight.shape == (2, 500, 400) and parameters["bias"].shape == (2, 500)
    # torch draws U(-1/sqrt(fan_in), 1/sqrt(fan_in)), of variance 1 / (3 fan_in) and kurtosis 9/5.
    stderr = np.sqrt(0.8 / weight.numel()) / 1200
    assert abs(weight.var().item() - 1 / 1200) < 5 * stderr
    assert weight.abs().max() <= 1 / 20
    assert abs(weight.var().item() - 1.1 / 1200) > 5 * stderr


def test_an_initialisation_depends_on_seed_and_draw_alone():
    together = fresh_parameters(factory, SEEDS, 2)
    for run, seed in enumerate(SEEDS):
        alone = fresh_parameters(factory, [seed], 2)
        for name, value in together.items():
            assert torch.equal(value[run], alone[name][0])
    weights = [fresh_parameters(factory, [s], d)["0.weight"] for s in SEEDS for d in range(3)]
    assert len({tuple(value.flatten().tolist()) for value in weights}) == 9


def test_the_random_state_of_torch_is_left_alone():
    before = torch.get_rng_state()
    fresh_parameters(factory, SEEDS, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ShrinkPerturb(shrink=-0.1), r"`shrink` must be a finite number of at least 0, got -0.1"),
        (lambda: ShrinkPerturb(noise=float("nan")), r"`noise` must be .*, got nan; .* is a full reset"),
        (lambda: PartialReset(0.0), r"`fraction` must be above 0 and at most 1, got 0.0; give 0.2"),
        (lambda: PartialReset(20), r"`fraction` must be above 0 and at most 1, got 20"),
    ],
)
def test_errors_name_argument_and_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_partial_reset_without_weights_says_so():
    only = {"scale": torch.ones(2, 3)}
    with pytest.raises(ValueError, match='`parameters` must have some called "weight".*got: scale; use'):
        PartialReset(0.5).apply(only, only, only)


def test_the_parameters_of_a_perturbation_are_plain_numbers():
    assert dataclasses.asdict(ShrinkPerturb()) == {"shrink": 0.6, "noise": 0.1, "fresh_optimizer": True}
    assert ShrinkPerturb.name == "shrink_perturb"
