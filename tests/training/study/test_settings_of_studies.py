"""Settings of studies and treatments that are refused, and what the messages say."""

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.perturbations import ShrinkPerturb  # noqa: E402
from training.protocols import Never, Periodic  # noqa: E402
from training.study import Treatment  # noqa: E402


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
            {"treatments": [Treatment(ShrinkPerturb(), Periodic(2))] * 2},
            "`treatments` holds shrink_perturb:2 twice",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(s), Periodic(s + 2)) for s in (0, 1)]},
            "`treatments` calls two different perturbations 'shrink_perturb'",
        ),
        (
            {"treatments": [Treatment(ShrinkPerturb(), Periodic(9))]},
            "first perturbs at or after the last epoch, 9",
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
