"""A search over one's own training function."""

import numpy as np
import pytest

from theory.search import OwnLoop, SearchSettings, search

trained = []


def train(seed, perturbation, period):
    """A run sits on a plateau of its own, which a perturbation draws anew after a dip."""
    rng = np.random.default_rng(seed)
    plateau, since = rng.normal(), 0
    for epoch in range(1, 10**6):
        trained.append(seed)
        since += 1
        yield plateau - 5 * np.exp(-since / 2) + 0.1 * rng.normal()
        if period and epoch % period == 0:
            plateau, since = rng.normal(), 0


def loop(**changes):
    settings = {"goal": 1.0, "epochs": 120, "periods": [5, 10, 20, 40], **changes}
    return OwnLoop(train, ["redraw"], **settings)


@pytest.fixture(autouse=True)
def nothing_trained():
    trained.clear()


def test_it_finds_that_a_fresh_plateau_helps():
    result = search(loop(), SearchSettings(thresholds=(1.0,), budget=9000, batch=4))
    [answer] = result.answers
    assert answer.verdict == "perturb" and answer.period in (5, 10)
    assert result.cost["total"] == len(trained)  # every epoch is counted, and none trained that is not


def test_a_pilot_is_continued_and_others_end_at_the_goal():
    own = loop()
    own.pilot(3, 5)
    assert own.spent == len(trained) == 15
    assert own.pilot(3, 9).values.shape == (3, 9) and len(trained) == 27
    runs = own.fresh(own.candidates[0], 10, 4)
    times = runs.first_passage(1.0).times
    assert np.array_equal(runs.lengths, times) and own.spent == 27 + times.sum() == len(trained)
    assert own.branch(own.candidates[0], 10, 4) is None
    assert list(runs.seeds) == [3, 4, 5, 6]


def test_what_is_stored_is_not_trained_again(tmp_path):
    settings = SearchSettings(thresholds=(1.0,), budget=3000)
    first = search(loop(store=tmp_path / "runs.json"), settings)
    trained.clear()
    again = search(loop(store=tmp_path / "runs.json"), settings)
    assert not trained and again.answers[0].sentence == first.answers[0].sentence
    assert again.steps == first.steps


def test_an_interrupted_search_goes_on(tmp_path):
    settings = SearchSettings(thresholds=(1.0,), budget=3000)
    whole = search(loop(), settings)

    def interrupt(step):
        if step.step == "refine":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(loop(store=tmp_path / "runs.json"), settings, interrupt)
    before = len(trained)
    resumed = search(loop(store=tmp_path / "runs.json"), settings)
    assert resumed.steps == whole.steps
    assert len(trained) - before < resumed.cost["total"]


def test_a_run_that_ends_or_diverges_stops_there():
    def short(seed, perturbation, period):
        yield from [0.1, 0.2, float("nan"), 0.4]

    own = OwnLoop(short, ["kick"], goal=1, epochs=20, periods=[2])
    assert own.pilot(2, 10).values.shape == (2, 2)


def test_a_stored_run_that_ended_is_not_trained_again(tmp_path):
    calls = []

    def short(seed, perturbation, period):
        calls.append(seed)
        yield from [0.1, 0.2] + [float("nan")] * (seed % 2)

    for _ in range(2):
        own = OwnLoop(short, ["kick"], goal=1, epochs=20, periods=[2], store=tmp_path / "runs.json")
        assert own.pilot(2, 10).values.tolist() == [[0.1, 0.2], [0.1, 0.2]] and own.spent == 6
        assert own.pilot(2, 15).values.shape == (2, 2) and own.spent == 6
    assert calls == [0, 1]


def test_a_store_that_is_none(tmp_path):
    for text in ("no json", "[1, 2]", '{"a": 3}'):
        (tmp_path / "runs.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="`store` .*runs.json does not hold the runs of a search"):
            loop(store=tmp_path / "runs.json")


def test_mistakes():
    with pytest.raises(ValueError, match=r"`periods` must lie between 1 and 119 epochs, got \[120\]"):
        loop(periods=[120])
    with pytest.raises(ValueError, match="`direction`"):
        loop(direction="up")
