"""Settings of studies and treatments that are refused, and what the messages say."""

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Never, Once, Periodic  # noqa: E402
from training.study import Treatment  # noqa: E402
from training.train import train_runs  # noqa: E402


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "`epochs` must be a whole number of epochs, at least 1, got 0"),
        ({"block_size": 0}, "`block_size` must be a whole number of runs, at least 1, got 0"),
        ({"seeds": (1, 1)}, "`seeds` must differ from each other, 1 occurs twice"),
        ({"threshold": float("nan")}, "`threshold` must be a finite number, got nan"),
        ({"stop_at_threshold": True}, "`stop_at_threshold` needs a `threshold`"),
        ({"checkpoint_seconds": 0}, "`checkpoint_seconds` must be positive, got 0"),
        (
            {"checkpoint_seconds": "60"},
            "`checkpoint_seconds` must be a number, got '60'; leave out the quotes",
        ),
        ({"threshold": "93"}, "`threshold` must be a number, got '93'; leave out the quotes"),
        ({"metric": 3}, "`metric` must be the name of a metric, got 3"),
        ({"task": None}, "`task` must be a Task, got None"),
        ({"seeds": 5}, r"`seeds` must be a sequence of whole numbers, got 5; range\(200\) gives 200 runs"),
        ({"treatments": [None]}, "`treatments` must hold Treatment objects, got None"),
        ({"treatments": 3}, "`treatments` must be a sequence of Treatment, got 3"),
        (
            {"treatments": Treatment(ShrinkPerturb(), Periodic(2))},
            "`treatments` must be a sequence, got a single Treatment; put it in square brackets",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(), Periodic(2))] * 2},
            "`treatments` holds shrink_perturb:2 twice",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(s), Periodic(s + 2)) for s in (0, 1)]},
            "`treatments` calls two different perturbations 'shrink_perturb'",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(), Periodic(9))]},
            "first perturbs at or after the last epoch, 9; shorten the period or train more epochs",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(), Once(9))]},
            "shrink_perturb:once-9 first perturbs at or after the last epoch, 9; perturb earlier or train more",
        ),
    ],
)
def test_settings_are_checked(cases, changes, message):
    with pytest.raises(ValueError, match=message):
        cases.small(**changes)


def test_treatments_are_checked():
    with pytest.raises(ValueError, match="`perturbation` must be one of training.perturbations, got 3"):
        Treatment(3, Periodic(2))
    with pytest.raises(ValueError, match="`protocol` must be one of training.protocols, such as Periodic"):
        Treatment(ShrinkPerturb(), Never())
    for name in ("a/b", "a:b", "epoch", "x" * 201, 3):
        with pytest.raises(ValueError, match="`name` .* is not a usable name: it must be printable text"):
            Treatment(ShrinkPerturb(), Periodic(2), name)
    with pytest.raises(ValueError, match="`protocol` 'a/b' is not a usable name"):
        Treatment(ShrinkPerturb(), Odd())


class Odd(Once):
    label = "a/b"

    def __init__(self):
        super().__init__(3)


def test_a_perturbation_after_the_end_is_refused_without_a_study_too(cases):
    for protocol in (Periodic(3), Periodic(1, first=5), Once(3)):
        with pytest.raises(
            ValueError, match=f"{protocol.label} first perturbs at or after the last epoch, 3"
        ):
            train_runs(cases.TASK, [0], 3, ShrinkPerturb(), protocol)
    assert train_runs(cases.TASK, [0], 3, ShrinkPerturb(), Once(2)).shape == (1, 3)
