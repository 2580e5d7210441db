"""The traces of ResNet-18 in examples/data, and what their README.md says of them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("h5py", reason="runs files need the optional extra `training`")

from theory import rank, relaxation  # noqa: E402
from training import read_study  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
TEXT = " ".join((DATA / "README.md").read_text().split())


@pytest.fixture(scope="module")
def runs():
    return read_study(DATA / "resnet18_cifar10.h5")


def test_three_ensembles_share_their_history(runs):
    perturbed = {f"{each.perturbation}:{each.period}": each for each in runs.perturbed}
    assert sorted(perturbed) == ["partial_reset:20", "shrink_perturb:20"]
    for each in (runs.unperturbed, *perturbed.values()):
        assert each.values.shape == (8, 32) and each.seeds.tolist() == list(range(8))
        np.testing.assert_array_equal(each.values[:, :20], runs.unperturbed.values[:, :20])
    assert not (
        perturbed["partial_reset:20"].values[:, 20] == perturbed["shrink_perturb:20"].values[:, 20]
    ).any()


def test_the_readme_says_what_the_file_holds(runs):
    at_20 = runs.unperturbed.values[:, 19]
    assert f"{at_20.mean():.1f} ± {at_20.std(ddof=1):.1f} %" in TEXT
    assert "no run reaches 67.4 % unperturbed" in TEXT and runs.unperturbed.values.max() < 67.4
    means = {each.perturbation: each.values[:, -1].mean() for each in runs.perturbed}
    assert f"{means['shrink_perturb']:.1f} % (shrink and perturb)" in TEXT
    assert f"{means['partial_reset']:.1f} % (partial reset)" in TEXT
    assert all((each.values.max(axis=1) > 67.4).all() for each in runs.perturbed)


def test_eight_runs_are_too_few_for_a_verdict(runs):
    found = relaxation(runs.unperturbed)
    assert found.verdict == "undecided" and "8 runs" in found.reason


def test_a_threshold_that_nobody_reaches_is_called_that(runs):
    advice = [optimum.advice for optimum in rank(runs, 80, resamples=50).optima]
    assert advice == ["no run reaches 80 before epoch 32; choose a threshold that some reach"] * 2
    assert "no run" not in rank(runs, 67.3, resamples=50).optima[0].advice
