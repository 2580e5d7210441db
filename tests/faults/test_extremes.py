"""Runs that diverge, never or always arrive, are all alike, are one or a million: an answer or an error."""

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from theory import (
    Ensemble,
    PassageSample,
    Study,
    choose_measured,
    kaplan_meier,
    linear_response,
    mean_passage_time,
    measured_points,
    moments,
    plots,
    predict,
    predict_survival,
    rank,
    relaxation,
    respond,
    restricted_mean,
)

from .amount import FULL

RUNS, EPOCHS, PERIOD = 24, 40, 5


def traces():
    """Ensembles as no healthy training gives them, by name."""
    rng = np.random.default_rng(0)
    usual = 90 + rng.normal(size=(RUNS, EPOCHS))
    usual[:, :3] -= 20
    epoch = np.arange(EPOCHS)
    half = usual.copy()
    half[: RUNS // 2, EPOCHS // 3 :] = np.nan
    return {
        "usual": usual,
        "all diverge at once": np.full((RUNS, EPOCHS), np.nan),
        "all infinite": np.full((RUNS, EPOCHS), np.inf),
        "minus infinite": np.full((RUNS, EPOCHS), -np.inf),
        "half diverge": half,
        "all diverge after epoch 1": np.where(epoch > 0, np.nan, usual),
        "one survives": np.where((np.arange(RUNS)[:, None] > 0) & (epoch > 8), np.nan, usual),
        "constant": np.full((RUNS, EPOCHS), 10.0),
        "constant in each run": np.repeat(np.arange(RUNS, dtype=float)[:, None], EPOCHS, axis=1),
        "zero": np.zeros((RUNS, EPOCHS)),
        "two values": np.where(usual > 90, 1.0, 0.0),
        "huge": usual * 1e300,
        "tiny": usual * 1e-300,
        "one run": usual[:1],
        "two runs": usual[:2],
        "one epoch": usual[:, :1],
        "one value": usual[:1, :1],
    }


CASES = traces()
THRESHOLDS = {"reached": 91.5, "never": 1e6, "at once": -1e6, "equal": 10.0}
if not FULL:
    THRESHOLDS = {name: THRESHOLDS[name] for name in ("reached", "equal")}
FEW = ("half diverge", "zero", "one run", "one epoch", "all diverge at once")


def ensemble(values, direction="at_least", **perturbed):
    first = 1000 if perturbed else 0
    return Ensemble(values, np.arange(first, first + len(values)), direction=direction, **perturbed)


def attempt(call, *arguments, **options):
    """What a call returns, or None where it raises an error with a message; any other error or warning is a fault."""
    try:
        return call(*arguments, **options)
    except ValueError as problem:
        assert len(str(problem)) > 20
        return None


def check_sample(sample):
    """All that can be asked of one sample."""
    curve = kaplan_meier(sample)
    assert np.all(np.diff(np.r_[1.0, curve.survival]) <= 0) and np.all(curve.survival >= 0)
    mean = attempt(mean_passage_time, sample)
    if sample.horizon > 0:
        assert 0 < mean.value <= sample.horizon and mean.lower_bound == bool(curve.survival[-1] > 0)
        np.testing.assert_allclose(mean.value, curve.integral(sample.horizon))
    found = attempt(moments, sample)
    assert (found is None) == bool(sample.n_censored or len(sample) < 2)
    if found is not None:
        np.testing.assert_allclose(found.mean.value, sample.times.mean())
        assert linear_response(sample, 3.0).critical_tau.value > 0
    plots.plot_survival(curve)


def check_study(study, threshold, qss):
    """All that can be asked of a study; where there is an answer it is one that can be true."""
    for point in attempt(measured_points, study, "kick", threshold) or ():
        assert point.mean.value >= 1
    attempt(choose_measured, study, "kick", threshold, qss)
    measured = attempt(respond, study, "kick", PERIOD, threshold, qss, resamples=20)
    if measured is None:
        assert attempt(rank, study, threshold, resamples=20) is None
        return
    for model in ("auto", "constant", "cycles"):
        for point in predict(measured[0], [1, 3, PERIOD, 20, 60], measured[1], model):
            assert point.mean >= 1 - 1e-12 or (np.isnan(point.mean) and point.status == "out_of_range")
            if np.isfinite([point.mean, point.low, point.high]).all():
                assert point.low <= point.mean * (1 + 1e-9) and point.mean <= point.high * (1 + 1e-9)
    law = predict_survival(measured[0], min(PERIOD, measured[0].horizon), 50)
    assert np.nanmin(law) >= 0 and np.nanmax(law) <= 1
    ranking = attempt(rank, study, threshold, resamples=20)
    for optimum in ranking.optima if ranking else ():
        assert optimum.speedup.value > 0 or not np.isfinite(optimum.speedup.value)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("direction", ["at_least", "at_most"] if FULL else ["at_least"])
@pytest.mark.parametrize("name", CASES)
def test_one_ensemble(name, direction):
    free = ensemble(CASES[name], direction)
    assert relaxation(free).reason
    for threshold in THRESHOLDS.values():
        assert relaxation(free, threshold=threshold).reason
        check_sample(free.first_passage(threshold))


@pytest.mark.parametrize("name", CASES if FULL else FEW)
def test_studies_of_two_ensembles(name):
    free = ensemble(CASES[name])
    qss = relaxation(free)
    for other in CASES if FULL else FEW:
        kicked = ensemble(CASES[other], perturbation="kick", period=PERIOD)
        for threshold in THRESHOLDS.values():
            check_study(Study(free, (kicked,)), threshold, qss)


def test_what_is_reached_at_once_takes_one_epoch():
    sample = ensemble(CASES["usual"]).first_passage(-1e6)
    assert kaplan_meier(sample).evaluate([0, 1]).tolist() == [1, 0]
    assert (mean_passage_time(sample).value, mean_passage_time(sample).stderr) == (1, 0)
    assert moments(sample).cv.value == 0
    response = linear_response(sample)
    assert response.slope.value == 0.5 and response.helps is False and response.critical_tau.value == 0.5


def test_what_is_never_reached_takes_at_least_as_long_as_was_watched():
    estimate = mean_passage_time(ensemble(CASES["usual"]).first_passage(1e6))
    assert estimate.value == EPOCHS and estimate.lower_bound


def test_runs_that_all_stopped_at_the_threshold_can_be_ranked():
    free, kicked = CASES["usual"].copy(), CASES["usual"][:, ::-1].copy()
    for values in (free, kicked):  # as trained with `stop_at_threshold`, and written up to the planned end
        values[:, 20] = 1e6
        values[:, 21:] = np.nan
    pair = (ensemble(kicked, perturbation="kick", period=PERIOD),)
    ranking = rank(Study(ensemble(free), pair), 1e6, resamples=20)
    assert ranking.unperturbed.value == 21 and ranking.horizon == EPOCHS and ranking.unperturbed_censored == 0


def test_where_no_unperturbed_run_survives_the_ranking_says_so():
    free = ensemble(CASES["all diverge after epoch 1"])
    kicked = ensemble(CASES["usual"], perturbation="kick", period=PERIOD)
    with pytest.raises(
        ValueError, match="no unperturbed run is recorded beyond epoch 1, and some had not arrived by then"
    ):
        rank(Study(free, (kicked,)), 1e6)


def test_a_threshold_that_is_too_easy_is_to_be_made_harder():
    for direction, advice in (("at_least", "Raise the threshold"), ("at_most", "Lower the threshold")):
        both = [ensemble(CASES["constant"], direction, **kick) for kick in ({}, KICK)]
        with pytest.raises(ValueError, match=advice):
            rank(Study(both[0], both[1:]), 10.0)


KICK = {"perturbation": "kick", "period": PERIOD}


@pytest.mark.parametrize("law", ["continuous", "epochs", "censored", "all censored", "all alike"])
def test_a_million_runs(law):
    runs = 10**6 if FULL else 10**5
    times = np.random.default_rng(1).exponential(10, runs)
    censored = np.zeros(runs, dtype=bool)
    if law == "epochs":
        times = np.ceil(times)
    elif law == "all alike":
        times = np.full(runs, 3.0)
    elif "censored" in law:
        censored = times > (30 if law == "censored" else -1)
        times = np.minimum(times, 30) if law == "censored" else times
    sample = PassageSample(times, censored)
    tracemalloc.start()
    try:
        curve = kaplan_meier(sample)
        curve.confidence_interval(5.0)
        mean = restricted_mean(sample, sample.horizon)
        if not sample.n_censored:
            linear_response(sample)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 500 * runs  # bytes
    if law != "all censored":
        np.testing.assert_allclose(mean.value, np.mean(times), rtol=1e-9)
    else:
        assert mean.value == pytest.approx(sample.horizon) and mean.stderr == 0 and curve.survival[-1] == 1
    if law == "all alike":
        assert mean.value == 3 and mean.stderr == 0


def test_output_into_a_full_disk_and_into_a_closed_pipe():
    command = [sys.executable, "-c", "from stochreset.cli import main; main()", "models"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "stochreset: the output cannot be written: No space left on device\n"
    reader = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    reader.stdout.close()
    assert reader.stderr.read() == "" and reader.wait(timeout=60) == 1
    reader.stderr.close()


@pytest.mark.parametrize("name", CASES if FULL else ["all diverge at once", "constant", "one run"])
def test_the_command_line(tmp_path, capsys, name):
    pytest.importorskip("h5py")
    from stochreset.cli import main
    from training import RunGroup, write_runs

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        # An answer, or one line that says why there is none.
        assert (stopped.value.code, captured.err) == (0, "") or (
            stopped.value.code == 2
            and captured.err.startswith("stochreset: ")
            and captured.err.count("\n") == 1
        ), captured.err
        if "--json" in arguments and stopped.value.code == 0:
            json.loads(captured.out, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
        return stopped.value.code

    for direction in ("at_least", "at_most") if FULL else ("at_least",):
        names, groups = {"m": direction}, []
        for values, kick in ((CASES[name], ()), (CASES["usual"], ("kick", PERIOD))):
            groups.append(RunGroup(np.arange(len(values)), {"m": values}, names, *kick))
        path = write_runs(tmp_path / "runs.h5", groups, provenance={})
        assert run("qss", path, "--json") == 0
        for threshold in THRESHOLDS.values():
            options = ("--threshold", threshold, "--resamples", 20)
            for form in ((), ("--json",)):
                run("rank", path, *options, *form)
                run("predict", path, *options, "--perturbation", "kick", "--measured", PERIOD, *form)
        for threshold in THRESHOLDS.values() if FULL else ():
            run("report", path, "--threshold", threshold, "--resamples", 20, "--out", tmp_path / "report")
    for threshold in ("nan", "inf"):
        assert run("rank", path, "--threshold", threshold) == 2
