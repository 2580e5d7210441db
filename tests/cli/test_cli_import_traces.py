"""``stochreset import-traces``: a runs file from folders of CSV files."""

import os

import pytest

from stochreset import PlateauMixture


def csv_folder(directory, ensemble, runs=40):
    directory.mkdir()
    for seed, trace in enumerate(ensemble.values[:runs]):
        lines = ["test_accuracy", *(repr(float(value)) for value in trace)]
        (directory / f"run_seed_{seed}.csv").write_text("\n".join(lines) + "\n")
    return directory


@pytest.fixture
def folders(tmp_path):
    model = PlateauMixture(plateau_mean=80.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5)
    return (
        csv_folder(tmp_path / "free", model.simulate(40, 60, seed=1)),
        csv_folder(tmp_path / "shrunk", model.simulate(40, 60, 15, seed=2)),
    )


def test_imported_traces_can_be_analysed(run, document, folders, tmp_path):
    free, shrunk = folders
    path = tmp_path / "imported.h5"
    code, out, err = run(
        "import-traces", path, "--unperturbed", free, "--perturbed", f"shrink_perturb:15:{shrunk}"
    )
    assert code == 0 and not err.strip()
    assert "80 traces in 2 ensembles" in out
    assert "unperturbed: 40 runs, 60 epochs" in out and "shrink_perturb:15: 40 runs, 60 epochs" in out
    assert document("qss", path)["verdict"] in ("reached", "not_reached", "undecided")
    perturbed = document("qss", path, "--ensemble", "shrink_perturb:15")
    assert (perturbed["metric"], perturbed["ensemble"]) == ("test_accuracy", "shrink_perturb:15")


def test_bad_trace_is_named_and_nothing_is_written(failure, folders, tmp_path):
    free, _ = folders
    (free / "run_seed_7.csv").write_text("test_accuracy\n50\noops\n")
    path = tmp_path / "imported.h5"
    line = failure("import-traces", path, "--unperturbed", free)
    assert "run_seed_7.csv" in line and "oops" in line
    assert not path.exists()


def test_import_does_not_replace_a_pipe(failure, folders, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "is a device or a pipe" in failure("import-traces", path, "--unperturbed", folders[0])
    assert path.is_fifo()


def test_import_needs_one_source(failure, folders, tmp_path):
    free, _ = folders
    path = tmp_path / "imported.h5"
    both = ("--unperturbed", free, "--published", free)
    mixed = ("--published", free, "--perturbed", f"shrink_perturb:15:{free}")
    for arguments in ((), both, mixed):
        assert "give either `--unperturbed DIR`" in failure("import-traces", path, *arguments)
    assert not path.exists()


@pytest.mark.parametrize("text", ["shrink_perturb", "shrink_perturb:0:{}", "shrink_perturb:x:{}"])
def test_import_refuses_a_bad_perturbed(failure, folders, tmp_path, text):
    free, shrunk = folders
    path = tmp_path / "imported.h5"
    failure("import-traces", path, "--unperturbed", free, "--perturbed", text.format(shrunk))
    assert not path.exists()
