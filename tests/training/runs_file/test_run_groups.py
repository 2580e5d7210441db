"""Groups of runs that are refused, alone and together, and what the messages say."""

import numpy as np
import pytest

from training import RunGroup, write_runs

from .small_groups import DIRECTIONS, group


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": np.array([1.5, 2])}, "`seeds` must be integers that fit int64, got dtype float64"),
        ({"seeds": np.array([1, 1])}, "`seeds` must be unique"),
        ({"seeds": np.array([1])}, "one entry per run"),
        (
            {"metrics": np.zeros((2, 3))},
            r"`metrics` must be a dict .*, such as {\"test_loss\": values}, got array",
        ),
        (
            {"directions": "at_least"},
            r"`directions` must be a dict .* {\"test_loss\": \"at_most\"}, got 'at_l",
        ),
        ({"metrics": {}}, "must have the same names, at least one"),
        ({"directions": {"b": "at_least"}}, "must have the same names"),
        ({"directions": {"a": "up"}}, "`direction` must be"),
        ({"metrics": {"a": np.zeros(2)}}, r"`metrics` 'a': `values` must be a non-empty \(runs, epochs\)"),
        ({"period": 3}, "`perturbation` and `period` go together"),
        ({"perturbation": "p", "period": 0}, "`period` must be a whole number of epochs, at least 1, got 0"),
        ({"perturbation": "p", "period": 2.5}, "`period` must be a whole number of epochs, got 2.5"),
        ({"perturbation": "p:q", "period": 2}, "`perturbation` 'p:q' is not a usable name"),
        ({"parameters": {"x": 1}}, "`parameters` belong to a perturbation"),
        ({"perturbation": "p", "period": 2, "parameters": {"x": np.nan}}, "`parameters` must be JSON"),
    ],
)
def test_run_group_is_checked(change, message):
    fields = {"seeds": np.array([1, 2]), "metrics": {"a": np.zeros((2, 3))}, "directions": {"a": "at_least"}}
    with pytest.raises(ValueError, match=message):
        RunGroup(**{**fields, **change})


def test_run_group_wants_one_shape_and_usable_metric_names():
    with pytest.raises(ValueError, match="`metrics` must all have the same shape"):
        RunGroup(np.arange(2), {"acc": np.zeros((2, 3)), "loss": np.zeros((2, 4))}, DIRECTIONS)
    for name in ("seed", "a/b", "", "\n"):
        with pytest.raises(ValueError, match="is not a usable name"):
            group(names=(name,))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([], "must hold one unperturbed group, got no groups"),
        (group(), "`groups` must be a sequence, got a single RunGroup; put it in square brackets"),
        ([group(), "p:1"], "`groups` must hold RunGroup objects, got 'p:1'"),
        ([group(perturbation="p", period=1)], "must hold one unperturbed group, got p:1"),
        ([group(), group()], "must hold one unperturbed group"),
        ([group(), *[group(perturbation="p", period=1)] * 2], "`groups` holds p:1 twice"),
        ([group(), group(perturbation="p", period=1, names=("acc",))], "must share their metrics: p:1 has"),
    ],
)
def test_groups_must_make_a_study(tmp_path, groups, message):
    with pytest.raises(ValueError, match=message):
        write_runs(tmp_path / "runs.h5", groups)
    assert not list(tmp_path.iterdir())
