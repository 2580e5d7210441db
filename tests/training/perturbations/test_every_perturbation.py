"""What holds for every perturbation: runs are independent, generators and tensors stay, errors change nothing."""

import json
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from torch import nn  # noqa: E402

from training.perturbations import (  # noqa: E402
    Composed,
    LayerReset,
    NetworkState,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
    WeightNoise,
)
from training.perturbations.state import Layout  # noqa: E402

ALL = [
    *(ShrinkPerturb(0.4, 0.1, source, buffers="scale") for source in ("initialisation", "gaussian")),
    ShrinkPerturb(0.4, 0.1, "gaussian", "weights", "reset"),
    StochasticReset(),
    StochasticReset(buffers="keep", optimizer="keep"),
    *(
        PartialReset(0.3, ranking, scope, source, "reset")
        for ranking in ("global", "layer")
        for scope in ("named_weight", "weights")
        for source in ("initialisation", "uniform")
    ),
    LayerReset(last=2),
    LayerReset(layers=("conv",)),
    *(WeightNoise(0.3, relative) for relative in (False, True)),
    WarmRestart(),
    OptimizerReset(),
    Composed((PartialReset(0.3), ShrinkPerturb(0.4, 0.1, "gaussian"), LayerReset(), WeightNoise(0.1, True))),
]
each = pytest.mark.parametrize("perturbation", ALL, ids=repr)
INITIALISING = [perturbation for perturbation in ALL if perturbation.initialises]
GAUSSIAN = [WeightNoise(0.3), ShrinkPerturb(0.4, 0.1, "gaussian"), PartialReset(0.3, source="uniform")]
DRAWING = [perturbation for perturbation in ALL if not isinstance(perturbation, WarmRestart | OptimizerReset)]


@each
def test_a_stack_is_perturbed_as_each_run_alone(runs, perturbation):
    after = runs.apply(perturbation)
    calls = list(runs.calls)
    for run in range(3):
        runs.calls.clear()
        network, state = runs.single(run)
        perturbation.apply(state)
        for name, value in network.state_dict().items():
            assert torch.equal(value, after[name][run]), name
        assert runs.calls == calls


@pytest.mark.parametrize("perturbation", DRAWING, ids=repr)
def test_the_result_depends_on_seed_and_count(runs, perturbation):
    found = []
    for seed, count in ((3, 1), (3, 1), (3, 2), (4, 1)):
        network = runs.network(0)
        perturbation.apply(runs.of_network(network, seed, count))
        found.append(torch.cat([value.detach().flatten() for value in network.parameters()]))
    assert torch.equal(found[0], found[1])
    assert not any(torch.equal(found[0], other) for other in found[2:])


@each
def test_generators_and_tensors_stay(runs, perturbation):
    network = runs.network(1).to(memory_format=torch.channels_last)
    state = runs.of_network(network, 3, 1)
    tensors = [*network.parameters(), *network.buffers()]
    before = [(value.data_ptr(), value.stride(), value.dtype, value.requires_grad) for value in tensors]
    generators = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    perturbation.apply(state)
    assert torch.equal(torch.get_rng_state(), generators[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == generators[1:]  # noqa: NPY002
    assert before == [(v.data_ptr(), v.stride(), v.dtype, v.requires_grad) for v in tensors]
    assert all(a is b for a, b in zip(tensors, [*network.parameters(), *network.buffers()], strict=True))
    assert torch.equal(network.norm.constant, torch.ones(2))


@each
def test_the_memory_format_changes_no_value(runs, perturbation):
    plain, state = runs.single(2)
    perturbation.apply(state)
    network = runs.network(2).to(memory_format=torch.channels_last)
    perturbation.apply(runs.of_network(network, 4, 7))
    for one, other in zip(plain.state_dict().values(), network.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("perturbation", GAUSSIAN, ids=repr)
def test_the_default_type_changes_no_number(make_runs, perturbation):
    expected, other = make_runs().apply(perturbation), make_runs()
    torch.set_default_dtype(torch.float64)
    try:
        other.check(other.apply(perturbation), lambda run, name, old: expected[name][run])
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_default_device_elsewhere_is_not_used(make_runs):
    # "meta" stands for a GPU: numbers drawn there would be lost.
    expected, other = make_runs().apply(ALL[0]), make_runs()
    gaussian, another = make_runs().apply(ALL[1]), make_runs()
    torch.set_default_device("meta")
    try:
        ALL[0].apply(other.state)
        ALL[1].apply(another.state)
    finally:
        torch.set_default_device(None)
    for found, wanted in ((other, expected), (another, gaussian)):
        assert all(torch.equal(value, wanted[name]) for name, value in found.parameters.items())


@each
def test_settings_are_ready_for_json(perturbation):
    settings = perturbation.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["kind"] == ("composed" if isinstance(perturbation, Composed) else perturbation.name)
    assert hash(perturbation) == hash(perturbation) and perturbation == perturbation


@pytest.mark.parametrize("perturbation", INITIALISING, ids=repr)
def test_a_factory_of_another_network_is_refused_and_nothing_changes(runs, perturbation):
    def more():
        network = runs.build()
        network.append(nn.Linear(3, 2))
        return network

    def less():
        return nn.Sequential(runs.build().conv)

    def wider():
        network = runs.build()
        network.head = nn.Linear(16, 4)
        return network

    def no_buffers():
        network = runs.build()
        network.norm = nn.GroupNorm(2, 4)
        return network

    for factory, message in (
        (more, "`factory` builds '4.weight', which the network trained has not; give the factory that"),
        (less, "`factory` builds 'conv.weight' not at all, the network trained has it of shape"),
        (
            wider,
            r"`factory` builds 'head.weight' of shape \(4, 16\), the network trained has it of shape \(3",
        ),
        (no_buffers, "`factory` builds 'norm.running_mean' not at all"),
    ):
        state = NetworkState(
            runs.parameters,
            runs.buffers,
            runs.layout,
            factory,
            runs.state.seeds,
            runs.state.counts,
            *runs.hooks(),
        )
        with pytest.raises(ValueError, match=message):
            if isinstance(perturbation, Composed):
                perturbation.parts[0].apply(state)
            else:
                perturbation.apply(state)
        runs.check({**runs.parameters, **runs.buffers}, lambda run, name, old: old)
        assert runs.calls == []


@pytest.mark.parametrize(
    ("perturbation", "missing", "message"),
    [
        (
            ShrinkPerturb(buffers="recalibrate", optimizer="keep"),
            "recalibrate",
            "asks for recalibrated buffers",
        ),
        (
            PartialReset(0.3, buffers="recalibrate"),
            "recalibrate",
            "asks for recalibrated buffers, which this tr",
        ),
        (WeightNoise(0.3, buffers="recalibrate"), "recalibrate", "asks for recalibrated buffers"),
        (StochasticReset(buffers="recalibrate"), "recalibrate", "asks for recalibrated buffers"),
        (ShrinkPerturb(), "reset_optimizer", "asks for an optimizer reset"),
        (LayerReset(optimizer="reset"), "reset_optimizer", "asks for an optimizer reset"),
        (OptimizerReset(), "reset_optimizer", "asks for an optimizer reset"),
        (WarmRestart(optimizer="reset"), "reset_optimizer", "asks for an optimizer reset"),
        (WarmRestart(), "restart_schedule", "asks for a restart of the learning-rate schedule"),
        (
            Composed((WeightNoise(1.0), WarmRestart())),
            "restart_schedule",
            "asks for a restart of the learning",
        ),
    ],
    ids=repr,
)
def test_what_a_training_has_not_is_refused_before_anything_changes(runs, perturbation, missing, message):
    names = ("reset_optimizer", "restart_schedule", "recalibrate")
    hooks = {name: hook for name, hook in zip(names, runs.hooks(), strict=True) if name != missing}
    state = NetworkState(
        runs.parameters, runs.buffers, runs.layout, runs.build, (3, 11, 4), (1, 2, 7), **hooks
    )
    with pytest.raises(ValueError, match=f"`perturbation` {message}"):
        perturbation.apply(state)
    runs.check({**runs.parameters, **runs.buffers}, lambda run, name, old: old)
    assert runs.calls == []


def test_recalibration_asks_for_nothing_where_there_are_no_buffers():
    values = {"weight": torch.ones(1, 3, 2), "bias": torch.ones(1, 3)}
    network = nn.Linear(2, 3)
    state = NetworkState(values, {}, Layout.of(network), lambda: nn.Linear(2, 3), [1], [1])
    ShrinkPerturb(buffers="recalibrate", optimizer="keep").apply(state)
    assert not (values["weight"] == 1).all()


@each
def test_what_it_says_it_draws_is_what_it_draws(runs, perturbation):
    built = []

    def factory():
        built.append(1)
        return runs.build()

    state = NetworkState(
        runs.parameters, runs.buffers, runs.layout, factory, (3, 11, 4), (1, 2, 7), *runs.hooks()
    )
    perturbation.apply(state)
    assert bool(built) == perturbation.initialises
    assert ("optimizer" in runs.calls) == perturbation.resets_optimizer
    assert ("schedule" in runs.calls) == perturbation.restarts
    assert ("calibration" in runs.calls) == perturbation.recalibrates


def test_half_precision_networks(runs):
    network = runs.network(0).to(torch.bfloat16)
    state = runs.of_network(network, 3, 1)
    for perturbation in ALL:
        perturbation.apply(state)
    assert all(value.dtype == torch.bfloat16 and value.isfinite().all() for value in network.parameters())
