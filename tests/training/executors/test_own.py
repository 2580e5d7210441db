"""Executors of one's own, as objects and as functions that open them."""

import concurrent.futures
from concurrent.futures import BrokenExecutor, Executor, Future

import pytest

from training.executors import Unit, WorkerLostError, open_executor, run_units


class Deferred(Executor):
    """Does nothing until it is asked to."""

    def __init__(self):
        self.calls = []
        self.closed = 0

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.calls.append(fn)
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.closed += 1


UNITS = [Unit("a", pow, (2, 3)), Unit("b", pow, (2, 5), after=("a",)), Unit("c", divmod, (1, 0))]


def test_an_object_runs_the_units_and_stays_open():
    executor = Deferred()
    outcomes = run_units(UNITS, executor)
    assert [outcome.value for outcome in outcomes.values()] == [8, 32, None]
    assert isinstance(outcomes["c"].error, ZeroDivisionError)
    assert len(executor.calls) == 3 and executor.closed == 0


def test_a_pool_of_the_standard_library_runs_the_units():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = run_units(UNITS, pool)
        assert [outcome.value for outcome in outcomes.values()] == [8, 32, None]
        assert pool.submit(pow, 2, 2).result() == 4


def test_a_function_that_opens_one_is_called_and_what_it_opened_closed():
    opened = []

    def open_one():
        opened.append(Deferred())
        return opened[-1]

    assert run_units(UNITS, open_one)["b"].value == 32
    assert [each.closed for each in opened] == [1]
    with open_executor(Deferred) as executor:
        assert executor.submit(pow, 3, 2).result() == 9
    assert executor.closed == 1


class BreaksOnce(Deferred):
    """Breaks at the first call of all."""

    broken = False

    def submit(self, fn, /, *args, **kwargs):
        if not BreaksOnce.broken:
            BreaksOnce.broken = True
            raise BrokenExecutor("gone")
        return super().submit(fn, *args, **kwargs)


def test_one_that_breaks_is_opened_again(monkeypatch):
    monkeypatch.setattr(BreaksOnce, "broken", False)
    outcomes = run_units(UNITS[:2], BreaksOnce)
    assert {name: (each.value, each.attempts) for name, each in outcomes.items()} == {
        "a": (8, 2),
        "b": (32, 1),
    }


class Hopeless(Deferred):
    """Loses every call."""

    def submit(self, fn, /, *args, **kwargs):
        raise BrokenExecutor("gone for good")


def test_an_object_that_stays_broken_ends_the_units_instead_of_trying_for_ever():
    outcomes = run_units(UNITS[:2], Hopeless(), retries=2)
    assert (outcomes["a"].status, outcomes["a"].attempts) == ("failed", 3)
    assert "gone for good" in str(outcomes["a"].error) and outcomes["b"].status == "skipped"


class LosesOnce(Deferred):
    """Says once that a worker was lost."""

    def submit(self, fn, /, *args, **kwargs):
        if self.calls:
            return super().submit(fn, *args, **kwargs)
        self.calls.append(None)
        future = Future()
        future.set_exception(WorkerLostError("node down"))
        return future


def test_a_lost_worker_is_no_failure():
    outcomes = run_units(UNITS[:1], LosesOnce())
    assert (outcomes["a"].value, outcomes["a"].attempts) == (8, 2)


@pytest.mark.parametrize("spec", [4, ["processes"], object()])
def test_anything_else_is_refused(spec):
    with pytest.raises(TypeError, match=r"`spec` of an executor must be a text such as 'processes:4'.*got"):
        run_units(UNITS, spec)
