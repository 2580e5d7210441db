import pytest

from stochreset import PlateauMixture
from stochreset.cli import main
from training import RunGroup, write_runs

from .commands import strict


def group(model, seed, period=None, perturbation="perturbed"):
    ensemble = model.simulate(runs=120, epochs=80, period=period, seed=seed, perturbation=perturbation)
    return RunGroup(
        ensemble.seeds,
        {"test_accuracy": ensemble.values},
        {"test_accuracy": "at_least"},
        ensemble.perturbation,
        ensemble.period,
    )


@pytest.fixture(scope="session")
def runs_file(tmp_path_factory):
    """Shrink and perturb draws the plateau anew and costs little; the partial reset mostly keeps it."""
    law = dict(plateau_mean=90.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5)
    shrink = PlateauMixture(**law, depth_after=4.0)
    partial = PlateauMixture(**law, depth_after=12.0, relaxation_time_after=2.0, memory=0.8)
    groups = [
        group(shrink, 1),
        group(shrink, 2, 20, "shrink_perturb"),
        group(shrink, 3, 30, "shrink_perturb"),
        group(partial, 4, 20, "partial_reset"),
    ]
    return write_runs(tmp_path_factory.mktemp("cli") / "runs.h5", groups)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command line in this process: exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "110")

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


@pytest.fixture
def file_here(monkeypatch, tmp_path):
    """Work in a folder of the test, in which files can be written by name."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def document(run):
    """Run a command with ``--json`` that must succeed in silence, and parse what it prints."""

    def call(*arguments):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (0, "")
        return strict(out)

    return call


@pytest.fixture
def failure(run):
    """Run a command that must end with exit code 2 and one line on standard error, and return the line."""

    def call(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("stochreset: ") and err.endswith("\n") and err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return call
