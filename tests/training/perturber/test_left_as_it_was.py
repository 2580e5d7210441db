"""What a perturber leaves as it was: random states, the order of the data, tensors in place, the optimizer."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Never, Periodic, Poisson  # noqa: E402

from .training_loop import ALL, NOTHING, OPTIMIZERS, Training, assert_same, copied  # noqa: E402


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("protocol", [Periodic(1), Poisson(0.7)], ids=["periodic", "poisson"])
def test_a_perturbation_that_changes_nothing_changes_nothing(optimizer, protocol):
    with_it, without = Training(NOTHING, protocol, optimizer=optimizer), Training(optimizer=optimizer)
    for training in (with_it, without):
        torch.manual_seed(3)
        training.epochs(5)
        training.random = torch.get_rng_state()
    assert with_it.perturber.count >= 2
    assert_same(with_it.model.state_dict(), without.model.state_dict())
    assert with_it.orders == without.orders
    assert torch.equal(with_it.random, without.random)


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
def test_random_states_and_the_order_of_the_data_are_left(perturbation):
    with_it, without = Training(perturbation, Periodic(1)), Training()
    for training in (with_it, without):
        torch.manual_seed(3)
        np_state = np.random.get_state()[1].copy()  # noqa: NPY002
        training.epochs(3)
        training.random = torch.get_rng_state()
        assert np.array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    assert with_it.orders == without.orders
    assert torch.equal(with_it.random, without.random)
    assert not torch.equal(with_it.model[-1].weight, without.model[-1].weight)


@pytest.mark.parametrize("perturbation", ALL, ids=repr)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_tensors_stay_where_they_are(perturbation, optimizer):
    training = Training(perturbation, Periodic(1), optimizer=optimizer)
    training.model[0].to(memory_format=torch.channels_last)
    named = [*training.model.named_parameters(), *training.model.named_buffers()]
    before = [(name, value, value.data_ptr(), value.stride()) for name, value in named]
    assert training.epochs(2) == [True, True]
    now = dict([*training.model.named_parameters(), *training.model.named_buffers()])
    for name, value, pointer, stride in before:
        assert now[name] is value
        assert (value.data_ptr(), value.stride()) == (pointer, stride)
        assert value.isfinite().all()


def test_channels_last_takes_the_same_values():
    plain, other = (Training(ShrinkPerturb(0.4, 0.1), Periodic(1)) for _ in range(2))
    other.model.to(memory_format=torch.channels_last)
    plain.perturber.perturb()
    other.perturber.perturb()
    assert_same(copied(plain.model), copied(other.model))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("after", ["keep", "reset"])
def test_the_optimizer_is_kept_or_started_afresh(optimizer, after):
    training = Training(ShrinkPerturb(0.4, 0.1, optimizer=after), Never(), optimizer=optimizer)
    training.epochs(1)
    kept = {key: dict(value) for key, value in training.optimizer.state.items()}
    assert kept
    training.perturber.perturb()
    assert dict(training.optimizer.state) == ({} if after == "reset" else kept)
    training.epochs(1)
    step = next(iter(training.optimizer.state.values())).get("step")
    assert step is None or step == (3 if after == "reset" else 6)
