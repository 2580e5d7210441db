"""Files of samples, which ``stochreset simulate --out`` writes."""

import json
import os

import h5py
import numpy as np
import pytest

from stochreset import Brownian, Poisson, exact_answers
from stochreset import simulate as simulate_sample
from stochreset import simulation as simulation_module
from stochreset.sample_file import SampleFileError, read_sample, write_sample
from theory.files import replace_file

from .commands import FAST


def test_file_holds_the_sample_and_the_document(document, tmp_path):
    path = tmp_path / "sample.h5"
    found = document(*FAST, "--out", path)
    sample = read_sample(path)
    assert sample.digest() == found["digest"]
    assert (sample.method, sample.dt, sample.bias) == ("exact", None, None)
    assert (sample.seed, sample.steps, sample.seconds) == (0, found["steps"], found["seconds"])
    with h5py.File(path) as file:
        assert set(file) == {"times", "censored"}
        attributes = dict(file.attrs)
    for key, value in found.items():
        if value is None:
            assert key not in attributes
        elif isinstance(value, dict):
            assert json.loads(attributes[key]) == value
        else:
            assert attributes[key] == value


def test_file_of_a_biased_sample(tmp_path):
    sample = simulate_sample(
        Brownian(drift=1.0),
        Poisson(1.0),
        runs=200,
        seed=2**64 - 1,
        method="euler",
        dt=0.1,
        estimate_bias=True,
    )
    write_sample(tmp_path / "sample.h5", sample)
    again = read_sample(tmp_path / "sample.h5")
    assert (again.bias, again.dt, again.seed) == (sample.bias, 0.1, 2**64 - 1)
    assert np.array_equal(again.times, sample.times) and np.array_equal(again.censored, sample.censored)


@pytest.mark.parametrize("problem", [ValueError("too far"), ZeroDivisionError(), MemoryError()])
def test_sample_is_kept_where_the_exact_formula_does_not_reach(document, run, monkeypatch, tmp_path, problem):
    def refuse(*_):
        raise problem

    monkeypatch.setattr(exact_answers, "exact_mean", refuse)
    path = tmp_path / "sample.h5"
    found = document(*FAST, "--out", path)
    assert found["exact"] is found["z"] is None and read_sample(path).digest() == found["digest"]
    assert "not known" in run(*FAST, "--out", path)[1]


@pytest.mark.parametrize("horizon", ["10.5", "2e7"])
def test_horizons_between_steps_and_far_out(document, horizon):
    arguments = ("--set", "target=3", "--set", "right=0.6", "--horizon", horizon, "--runs", 2000)
    found = document("simulate", "lattice", *arguments)
    assert found["exact"] is not None and abs(found["z"]) < 4


def test_sample_is_kept_when_the_exact_mean_is_interrupted(run, monkeypatch, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(exact_answers, "exact_mean", interrupt)
    assert run(*FAST, "--out", tmp_path / "sample.h5")[0] == 130
    assert len(read_sample(tmp_path / "sample.h5")) == 2000


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_previous_file_survives_an_error(failure, monkeypatch, tmp_path, step):
    path = tmp_path / "sample.h5"
    path.write_text("mine")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    assert "disk full" in failure(*FAST, "--out", path)
    assert path.read_text() == "mine" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nowhere/sample.h5", "nowhere does not exist; create it first"),
        ("", "is a folder; give the name of a file in it"),
        ("file/sample.h5", "does not exist; create it first"),
        ("/proc/sample.h5", "cannot be written"),
    ],
)
def test_bad_place_is_found_before_the_simulation(failure, monkeypatch, tmp_path, place, said):
    def never(*_, **__):
        raise AssertionError("simulated")

    monkeypatch.setattr(simulation_module, "simulate", never)
    (tmp_path / "file").touch()
    line = failure(*FAST, "--out", tmp_path / place)
    assert "`--out`" in line and said in line


def test_a_pipe_is_not_replaced_by_a_file(failure, monkeypatch, tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link.h5"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    with pytest.raises(ValueError, match=r"`path` .*pipe is a device or a pipe; give the name of a file"):
        replace_file(pipe, b"content")
    monkeypatch.setattr(simulation_module, "simulate", lambda *_, **__: pytest.fail("simulated"))
    for path in (pipe, link):
        assert f"`--out` {path} is a device or a pipe" in failure(*FAST, "--out", path)
    assert pipe.is_fifo() and sorted(tmp_path.iterdir()) == [link, pipe]


def test_files_that_are_no_samples(document, tmp_path):
    path = tmp_path / "sample.h5"
    with pytest.raises(FileNotFoundError, match="there is no sample file"):
        read_sample(path)
    path.write_text("text")
    with pytest.raises(SampleFileError, match="is not a readable HDF5 file"):
        read_sample(path)
    with h5py.File(path, "w") as file:
        file["times"] = [1.0]
    with pytest.raises(SampleFileError, match="but not a sample"):
        read_sample(path)
    document(*FAST, "--out", path)
    with h5py.File(path, "r+") as file:
        file["times"][7] = 1.0
    with pytest.raises(SampleFileError, match="`/times` does not fit its checksum"):
        read_sample(path)
    with h5py.File(path, "r+") as file:
        del file["times"]
    with pytest.raises(SampleFileError, match="no dataset `times`, it may be damaged"):
        read_sample(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 3
    with pytest.raises(SampleFileError, match="upgrade stochreset"):
        read_sample(path)
