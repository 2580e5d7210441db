import json
import math

import numpy as np
import pytest
from scipy import stats

from theory.protocols import IntervalLaw, poisson, renewal
from training.protocols import Never, Once, Periodic, Poisson, Protocol, Renewal

ALPHA = 1e-5
DRAWS = 10_000
LAW = renewal(stats.gamma(4, scale=2))
ALL = [Never(), Periodic(20), Periodic(20, first=60), Once(7), Poisson(0.3), Renewal(LAW)]


def draws(protocol: Protocol) -> np.ndarray:
    """First intervals of many runs and, from the same number of others, fifth ones."""
    first = [protocol.interval(seed, 1) for seed in range(DRAWS)]
    return np.array(first + [protocol.interval(seed, 5) for seed in range(DRAWS, 2 * DRAWS)])


def p_value(intervals: np.ndarray, law: IntervalLaw) -> float:
    """Chi-square test of whole-numbered intervals; what is rarer than five in all counts as one."""
    expected = law.pmf * intervals.size
    observed = np.bincount(intervals, minlength=law.longest + 1)[1 : law.longest + 1]
    assert observed.sum() == intervals.size
    assert not observed[expected == 0].any()
    common = expected >= 5
    pairs = [np.append(each[common], each[~common].sum()) for each in (observed, expected)]
    observed, expected = (each[pairs[1] > 0] for each in pairs)
    # Some releases of SciPy want equal sums to more digits than rounding leaves.
    return float(stats.chisquare(observed, expected * (observed.sum() / expected.sum())).pvalue)


@pytest.mark.parametrize("rate", [0.05, 0.3, 2.0])
def test_poisson_intervals_follow_the_rounded_exponential_law(rate):
    intervals = draws(Poisson(rate))
    exact = 1 / -math.expm1(-rate)  # of the geometric law on 1, 2, ...
    stderr = math.sqrt(math.exp(-rate)) * exact / math.sqrt(intervals.size)
    assert abs(intervals.mean() - exact) < 5 * stderr
    assert p_value(intervals, poisson(rate, cut=1e-12)) > ALPHA


def test_the_law_of_poisson_intervals_is_told_from_one_ten_percent_off():
    intervals = draws(Poisson(0.3 * 1.1))
    exact = 1 / -math.expm1(-0.3)
    assert abs(intervals.mean() - exact) > 5 * math.sqrt(math.exp(-0.3)) * exact / math.sqrt(intervals.size)
    assert p_value(intervals, poisson(0.3, cut=1e-12)) < ALPHA


@pytest.mark.parametrize(
    "law", [LAW, renewal(stats.randint(1, 4)), IntervalLaw("two points", np.array([1.0, 0.7, 0.7, 0.7, 0.0]))]
)
def test_renewal_intervals_follow_their_law(law):
    intervals = draws(Renewal(law))
    epochs = np.arange(1, law.longest + 1)
    mean = law.pmf @ epochs
    stderr = math.sqrt((law.pmf @ (epochs - mean) ** 2) / intervals.size)
    assert abs(intervals.mean() - mean) < 5 * stderr
    assert p_value(intervals, law) > ALPHA


def test_a_renewal_law_is_told_from_one_ten_percent_off():
    intervals = draws(Renewal(renewal(stats.gamma(4, scale=2 * 1.1))))
    inside = intervals[intervals <= LAW.longest]
    assert inside.size > 0.999 * intervals.size
    assert p_value(inside, LAW) < ALPHA


def test_renewal_of_the_exponential_law_has_the_mean_of_poisson():
    both = [draws(Poisson(0.2)), draws(Renewal(poisson(0.2)))]
    stderr = math.sqrt(sum(each.var() / each.size for each in both))
    assert abs(both[0].mean() - both[1].mean()) < 5 * stderr


@pytest.mark.parametrize("protocol", [Poisson(0.1), Renewal(LAW)], ids=["poisson", "renewal"])
def test_random_intervals_are_functions_of_seed_and_number_alone(protocol):
    forwards = [[protocol.interval(seed, number) for number in range(1, 9)] for seed in range(5)]
    np.random.default_rng().random()
    backwards = [
        [protocol.interval(seed, number) for number in range(8, 0, -1)][::-1] for seed in reversed(range(5))
    ]
    assert forwards == backwards[::-1]
    assert len({tuple(row) for row in forwards}) == 5
    assert all(len(set(column)) > 1 for column in zip(*forwards, strict=True))


def test_intervals_of_one_run_are_not_correlated():
    pairs = np.array([[Poisson(0.1).interval(seed, number) for number in (1, 2)] for seed in range(DRAWS)])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 5 / math.sqrt(DRAWS)
    same = np.array([[row[0], row[0] + row[1]] for row in pairs])
    assert abs(np.corrcoef(same.T)[0, 1]) > 5 / math.sqrt(DRAWS)


def test_sharp_intervals():
    def first_four(protocol):
        return [protocol.interval(3, number) for number in (1, 2, 3, 4)]

    assert first_four(Never()) == [None] * 4
    assert first_four(Once(7)) == [7, None, None, None]
    assert first_four(Periodic(20)) == [20] * 4
    assert first_four(Periodic(20, first=60)) == [60, 20, 20, 20]
    assert first_four(Periodic(20, first=5)) == [5, 20, 20, 20]


def test_epochs_lists_all_perturbations_before_an_epoch():
    assert Never().epochs(1, 100) == []
    assert Once(7).epochs(1, 7) == []
    assert Once(7).epochs(1, 8) == [7]
    assert Periodic(20, first=30).epochs(1, 70) == [30, 50]
    assert Periodic(20, first=30).epochs(1, 71) == [30, 50, 70]
    protocol = Poisson(0.2)
    steps = np.cumsum([protocol.interval(9, number) for number in range(1, 200)])
    assert protocol.epochs(9, 100) == steps[steps < 100].tolist()


def test_labels():
    assert [each.label for each in ALL] == ["never", "20", "20@60", "once-7", "poisson-0.3", "gamma-8.5"]
    assert Periodic(20, first=20) == Periodic(20)
    assert Periodic(20, first=20).label == "20"


@pytest.mark.parametrize("protocol", ALL, ids=lambda each: each.label)
def test_settings_survive_json(protocol):
    settings = protocol.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["kind"] == protocol.kind


def test_numpy_numbers_become_plain_ones():
    for protocol in (Periodic(np.int64(4), first=np.int32(6)), Once(np.int64(4)), Poisson(np.float32(0.5))):
        json.dumps(protocol.settings())
    assert Poisson(np.float32(0.5)) == Poisson(0.5)
    assert repr(Periodic(np.int64(4))) == repr(Periodic(4))


def test_settings_of_a_law_rebuild_it():
    settings = Renewal(LAW).settings()
    again = Renewal(IntervalLaw(settings["law"], np.array(settings["beyond"])))
    assert [again.interval(1, n) for n in range(50)] == [Renewal(LAW).interval(1, n) for n in range(50)]


@pytest.mark.parametrize("value", [0, -3, 2.5, True, "20", None, float("inf")])
def test_epochs_must_be_whole_and_positive(value):
    message = r"must be a whole number of epochs, at least 1, got "
    with pytest.raises(ValueError, match="`period` " + message):
        Periodic(value)
    with pytest.raises(ValueError, match="`epoch` " + message):
        Once(value)
    if value is not None:
        with pytest.raises(ValueError, match="`first` " + message):
            Periodic(20, first=value)


@pytest.mark.parametrize("value", [0, -0.1, True, float("nan"), float("inf"), "0.1", None])
def test_a_rate_must_be_positive(value):
    with pytest.raises(ValueError, match="`rate` must be positive, in perturbations per epoch, got "):
        Poisson(value)


def test_a_rate_must_not_be_too_low():
    with pytest.raises(
        ValueError, match="`rate` must be at least 1e-300 perturbations per epoch, got 1e-320; for"
    ):
        Poisson(1e-320)
    assert min(Poisson(1e-300).interval(seed, 1) for seed in range(100)) > 1e295


def test_a_law_must_be_an_interval_law():
    with pytest.raises(
        ValueError, match=r"`law` must be a theory.protocols.IntervalLaw, such as .*got <scipy"
    ):
        Renewal(stats.gamma(4, scale=5))
