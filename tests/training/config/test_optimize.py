import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from theory.search import Candidate, SearchSettings  # noqa: E402
from training.config import ConfigError, example, load_optimization, load_study  # noqa: E402
from training.perturbations import PartialReset, ShrinkPerturb  # noqa: E402

TOP = 'epochs = 40\n[data]\nkind = "digits"\n[network]\nkind = "mlp"\n'
SEARCH = "[optimize]\nthresholds = [90, 93.5]\nbudget = 5000\nperiods = [5, 10]\nbatch = 4\n"
SHRINK = '[[perturbation]]\nkind = "shrink_perturb"\n'


@pytest.fixture
def load(tmp_path):
    def read(text, **more):
        path = tmp_path / "search.toml"
        path.write_text(text, encoding="utf-8")
        return load_optimization(path, **more)

    return read


def test_a_whole_file(load):
    found = load(
        TOP + SEARCH + SHRINK + '[[perturbation]]\nkind = "partial_reset"\nname = "part"\nfraction = 0.5\n'
    )
    assert found.search == SearchSettings(thresholds=(90, 93.5), budget=5000, batch=4)
    assert found.periods == (5, 10) and found.study.epochs == 40
    assert found.candidates == {
        Candidate("shrink_perturb"): ShrinkPerturb(),
        Candidate("part"): PartialReset(0.5),
    }


def test_lists_of_parameters_are_candidates_of_one_family(load):
    found = load(TOP + SEARCH + SHRINK + "shrink = [0.2, 0.6]\nnoise = [0.0, 0.1]\n")
    assert [each.name for each in found.candidates] == [
        "shrink_perturb shrink=0.2 noise=0",
        "shrink_perturb shrink=0.2 noise=0.1",
        "shrink_perturb shrink=0.6 noise=0",
        "shrink_perturb shrink=0.6 noise=0.1",
    ]
    first = next(iter(found.candidates))
    assert first.family == "shrink_perturb" and first.parameters == (("shrink", 0.2), ("noise", 0.0))
    assert found.candidates[first] == ShrinkPerturb(0.2, 0.0)


def test_the_example_is_for_both_commands(load, tmp_path):
    found = load(example())
    assert found.search == SearchSettings(thresholds=(93,), budget=8000)
    assert [each.name for each in found.candidates] == ["shrink_perturb", "both"]
    (tmp_path / "both.toml").write_text(example(), encoding="utf-8")
    assert load_study(tmp_path / "both.toml").task == found.study.task


def test_a_budget_from_elsewhere(load):
    assert load(TOP + "[optimize]\nthresholds = [90]\n" + SHRINK, budget=77).search.budget == 77


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOP + SHRINK, r"lacks the table \[optimize\] with thresholds and budget"),
        (TOP + SEARCH, r"no perturbation is given to try; add at least one table \[\[perturbation\]\]"),
        (TOP + "[optimize]\nbudget = 3\n" + SHRINK, r"\[optimize\] lacks the key thresholds"),
        (
            TOP + SEARCH + "buget = 3\n" + SHRINK,
            r"line 11: \[optimize\] has no key \"buget\"; did you mean budget",
        ),
        (TOP + SEARCH.replace("5000", "0") + SHRINK, r"line 8: \[optimize\] budget must be a whole number"),
        (
            TOP + SEARCH.replace("[90, 93.5]", "93") + SHRINK,
            r"line 7: \[optimize\] thresholds must be a list of",
        ),
        (TOP + SEARCH.replace("[5, 10]", "[5, 40]") + SHRINK, r"line 9: .*must lie below the 40 epochs"),
        (TOP + SEARCH + SHRINK + "shrink = [0.5, -7.0]\n", r"line 13: .*shrink must .*got -7"),
        (TOP + SEARCH + SHRINK + SHRINK, "gives a second candidate shrink_perturb; give one of them another"),
        (TOP + SEARCH + SHRINK + 'name = "a/b"\n', r"line 13: .*name 'a/b' is not a usable name"),
        (TOP + SEARCH + SHRINK + 'name = "{}"\nshrink = [0.5]\n'.format("x" * 195), "is not a usable name"),
        (TOP.replace("epochs = 40\n", "") + SEARCH + SHRINK, "lacks the key epochs"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(load, text, message):
    with pytest.raises(ConfigError, match=message):
        load(text)
