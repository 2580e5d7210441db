"""In which epochs a perturber perturbs, and which random numbers it draws there."""

import pytest

torch = pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")

from scipy import stats  # noqa: E402

from theory.protocols import renewal  # noqa: E402
from training.perturbations import ShrinkPerturb, StochasticReset  # noqa: E402
from training.protocols import Never, Once, Periodic, Poisson, Renewal  # noqa: E402

from .training_loop import assert_same, copied, small  # noqa: E402


@pytest.mark.parametrize(
    ("protocol", "epochs"),
    [
        (Never(), []),
        (Periodic(4), [4, 8, 12, 16, 20]),
        (Periodic(4, first=7), [7, 11, 15, 19]),
        (Periodic(4, first=1), [1, 5, 9, 13, 17]),
        (Once(6), [6]),
        (Poisson(0.3), None),
        (Poisson(3.0), None),
        (Renewal(renewal(stats.gamma(4, scale=1))), None),
    ],
    ids=lambda each: getattr(each, "label", ""),
)
def test_perturbs_at_the_epochs_of_the_protocol(protocol, epochs):
    perturber = small(protocol=protocol, seed=7)
    done = [epoch for epoch in range(1, 21) if perturber.step()]
    assert done == (protocol.epochs(7, 21) if epochs is None else epochs)
    assert (perturber.epoch, perturber.count) == (20, len(done))


def test_a_perturbation_comes_last_in_its_epoch_and_in_no_other():
    perturber = small(ShrinkPerturb(0.5, 0), Periodic(3))
    start = copied(perturber.model)
    for epoch in range(1, 8):
        assert perturber.step() is (epoch % 3 == 0)
        factor = 0.5 ** (epoch // 3)
        assert_same(copied(perturber.model), {name: factor * value for name, value in start.items()})


def test_perturb_by_hand_leaves_the_times_of_a_sharp_protocol():
    perturber = small(ShrinkPerturb(0.5, 0), Periodic(3))
    before = perturber.model[0].weight.detach().clone()
    perturber.perturb()
    assert torch.equal(perturber.model[0].weight, 0.5 * before)
    assert [perturber.step() for _ in range(4)] == [False, False, True, False]
    assert perturber.count == 2


def test_seeds_and_perturbations_draw_other_numbers_and_the_same_draw_the_same():
    def after(seed, steps):
        perturber = small(StochasticReset(), Periodic(1), seed=seed)
        for _ in range(steps):
            perturber.step()
        return perturber.model[0].weight.detach()

    drawn = [after(1, 1), after(1, 2), after(2, 1)]
    assert not any(torch.equal(drawn[i], drawn[j]) for i, j in [(0, 1), (0, 2), (1, 2)])
    torch.manual_seed(99)
    assert torch.equal(after(1, 2), drawn[1])
