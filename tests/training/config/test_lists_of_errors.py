"""All errors of the file of a study at once: their order, their number, and how they are printed."""

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")


def test_all_problems_at_once_in_the_order_of_the_file(problems):
    text = """\
epochs = "many"
seeds = 200
threshold = inf
stop_at_threshold = true

[data]
kind = "digit"

[network]
kind = "mlp"
hidden = [64, true]

[optimizer]
lr = 0.05
kind = "sgd"
momentum = 2
weight_decay = -1

[[perturbation]]
kind = "warm_restart"
period = 0
once = []

[[perturbation]]
kind = "shrink_perturb"
shrink = -1
noise = -1
rate = 0
"""
    found = problems(text)
    assert found[0] == 'study.toml, line 1: epochs must be a whole number, got "many"'
    assert [int(each.split("line ")[1].split(":")[0]) for each in found] == [
        *(1, 3, 7, 11, 14, 16, 17, 21, 22, 26, 27, 28),
    ]


def test_messages_hold_no_control_characters(problems_with):
    found = problems_with('"a\\nb\\u001b[31m" = 1\n', '[optimizer]\n"x\\u009b" = 1\nkind = "sgd"')
    assert len(found) == 2
    assert all(each.isprintable() for each in found)


def test_very_many_problems_are_cut_short(problems):
    found = problems("".join(f"k{number} = 1\n" for number in range(300)))
    assert len(found) == 101
    assert found[-1] == "study.toml: 204 more like these"
    assert "k38, k39, ..." in found[0] and max(map(len, found)) < 500


def test_very_deep_keys(problems_with):
    [problem] = problems_with("a." * 500 + "b = 1\n")
    assert problem.startswith("study.toml, line 3: the file has no table [a]; It has: [data],")
