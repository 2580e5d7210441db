"""Large studies stay in their file and give the same answers as in memory."""

import numpy as np
import pytest

import training.runs_reader
from stochreset import PlateauMixture
from theory import predict as predict_periods
from theory import relaxation, respond
from theory.hdf5 import Hdf5Error
from theory.traces import StoredTraces, pick_rows, row_blocks
from training import RunGroup, RunsFileError, read_runs, read_study, write_runs
from training.stored_metric import StoredMetric

MODEL = PlateauMixture(plateau_mean=71.5, plateau_spread=0.3, noise=0.15, depth=30, relaxation_time=3)


def group(period, runs, first_seed):
    traces = MODEL.simulate(runs, 80, period, seed=first_seed, perturbation=period and "kick")
    return RunGroup(
        np.arange(first_seed, first_seed + runs),
        {"accuracy": traces.values, "loss": -traces.values},
        {"accuracy": "at_least", "loss": "at_most"},
        period and "kick",
        period,
    )


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(training.runs_reader, "LARGE", 10_000)
    monkeypatch.setattr(training.runs_reader, "SMALL", 1_000)
    return write_runs(tmp_path / "runs.h5", [group(None, 60, 0), group(20, 50, 100)], metric="accuracy")


def test_what_stays_in_the_file_gives_the_same_answers(path, monkeypatch):
    stored = read_study(path)
    assert all(isinstance(each.values, StoredTraces) for each in stored)
    monkeypatch.setattr(training.runs_reader, "LARGE", 10**9)
    whole = read_study(path)
    assert all(isinstance(each.values, np.ndarray) for each in whole)
    answers = []
    for study in (stored, whole):
        qss = relaxation(study.unperturbed)
        response, limits = respond(study, "kick", 20, 72.0, qss, resamples=50)
        answers.append([qss.relaxation_epoch, *predict_periods(response, [10, 20, 40], limits)])
    assert answers[0] == answers[1]
    for one, other in zip(stored, whole, strict=True):
        np.testing.assert_array_equal(one.lengths, other.lengths)
        np.testing.assert_array_equal(one.recorded, other.recorded)
        np.testing.assert_array_equal(one.some(7).values, other.some(7).values)
        np.testing.assert_array_equal(one.some(7).seeds, other.some(7).seeds)
        assert one.some(10**6) is one


def test_it_is_read_in_blocks_and_gone_through_once_for_each_question(path, monkeypatch):
    reads = []
    monkeypatch.setattr(
        StoredMetric,
        "read",
        lambda self, start, stop: reads.append((start, stop)) or np.zeros((stop - start, 80)),
    )
    ensemble = read_study(path).unperturbed
    assert not reads
    for _ in range(2):
        ensemble.first_passage(72.0)
        ensemble.some(5)
    assert reads == [(0, 60), (0, 60)]
    reads.clear()
    blocks = [block.shape for _, block in row_blocks(ensemble.values, size=1600)]
    assert blocks == [(20, 80)] * 3 and reads == [(0, 20), (20, 40), (40, 60)]


@pytest.mark.parametrize("size", [80, 170, 10**6])
def test_rows_are_picked_across_blocks(path, size, monkeypatch):
    monkeypatch.setattr("theory.traces.BLOCK", size)
    values = read_study(path).unperturbed.values
    rows = np.array([0, 3, 4, 59])
    np.testing.assert_array_equal(pick_rows(values, rows), np.asarray(values)[rows])


def test_a_file_changed_meanwhile_is_noticed(path):
    ensemble = read_study(path).unperturbed
    write_runs(path, [group(None, 60, 7), group(20, 50, 100)], metric="accuracy")
    with pytest.raises(
        Hdf5Error, match=r"runs\.h5 was changed while it was analysed; start the analysis again"
    ):
        ensemble.first_passage(72.0)


def test_a_damaged_large_one_is_refused(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "r+") as file:
        file["unperturbed/accuracy"][3, 4] += 0.01
    with pytest.raises(RunsFileError, match="does not fit its checksum"):
        read_study(path)
    with pytest.raises(RunsFileError, match="does not fit its checksum"):
        read_runs(path)


def test_numpy_takes_stored_traces_for_an_array(path):
    values = read_study(path).unperturbed.values
    assert np.isfinite(values).all() and len(values) == 60
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # before, copy=False asked for no copy where possible
        with pytest.raises(ValueError, match="without reading them"):
            np.array(values, copy=False)
