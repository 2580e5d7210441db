import pytest

from training.executors import Event, Unit, UnitSkipped, open_executor, run_units


def refuse(text):
    raise LookupError(text)


def interrupt():
    raise KeyboardInterrupt


def test_a_call_runs_inside_submit():
    calls = []
    with open_executor() as executor:
        future = executor.submit(calls.append, 1)
        assert calls == [1] and future.done() and future.result() is None
        assert str(executor.submit(refuse, "no").exception()) == "no"
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(int)


def test_an_interrupt_is_not_kept_in_the_future():
    with open_executor() as executor, pytest.raises(KeyboardInterrupt):
        executor.submit(interrupt)
    calls = []
    with pytest.raises(KeyboardInterrupt):
        run_units([Unit("a", interrupt), Unit("b", calls.append, (1,))])
    assert not calls


def test_units_run_in_the_order_of_their_dependencies():
    order = []
    units = [
        Unit("d", order.append, ("d",), after=("b", "c")),
        Unit("b", order.append, ("b",), after=("a",)),
        Unit("c", order.append, ("c",), after=("a", "b")),
        Unit("a", order.append, ("a",)),
    ]
    outcomes = run_units(units)
    assert order == ["a", "b", "c", "d"]
    assert list(outcomes) == ["d", "b", "c", "a"]
    assert {(outcome.status, outcome.attempts) for outcome in outcomes.values()} == {("done", 1)}


def test_a_unit_that_raises_stops_only_what_comes_after_it():
    units = [
        Unit("a", refuse, ("no",)),
        Unit("b", int, after=("a",)),
        Unit("c", int, after=("b", "d")),
        Unit("d", divmod, (7, 2)),
        Unit("e", quit, (3,)),
    ]
    outcomes = run_units(units, "in-process", retries=5)
    assert [outcome.status for outcome in outcomes.values()] == [
        "failed",
        "skipped",
        "skipped",
        "done",
        "failed",
    ]
    assert isinstance(outcomes["a"].error, LookupError) and outcomes["a"].attempts == 1
    assert isinstance(outcomes["b"].error, UnitSkipped) and outcomes["b"].attempts == 0
    assert "'b' comes after 'a', which failed" in str(outcomes["b"].error)
    assert "'c' comes after 'b', which was skipped" in str(outcomes["c"].error)
    assert outcomes["c"].error.__cause__ is outcomes["a"].error
    assert outcomes["d"].value == (3, 1)
    assert isinstance(outcomes["e"].error, SystemExit)


def test_events_come_as_they_happen():
    events = []

    def note(event):
        events.append((event.kind, event.name))
        assert isinstance(event, Event)

    run_units([Unit("a", int), Unit("b", refuse, ("no",)), Unit("c", int, after=("b",))], on_event=note)
    assert events == [
        ("submitted", "a"),
        ("done", "a"),
        ("submitted", "b"),
        ("failed", "b"),
        ("skipped", "c"),
    ]


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([Unit("a", int), Unit("a", int)], "`units` must have unique names; more than one is called 'a'"),
        (
            [Unit("a", int, after=("b",))],
            "`after` of unit 'a' must name other units of the study; there is no 'b'",
        ),
        ([Unit("a", int, after="a")], "`after` of unit 'a' must be a tuple of names; got 'a'"),
        ([Unit("a", int, after=("a",))], "in a circle; got 'a' after 'a'"),
        (
            [Unit("a", int, after=("b",)), Unit("b", int, after=("c",)), Unit("c", int, after=("a",))],
            "in a circle; got 'a' after 'b' after 'c' after 'a'|'b' after 'c' after 'a' after 'b'|'c' after 'a'",
        ),
    ],
)
def test_units_that_cannot_be_ordered(units, message):
    with pytest.raises(ValueError, match=message):
        run_units(units)


def test_no_units_and_negative_retries():
    assert run_units([]) == {}
    with pytest.raises(ValueError, match="`retries` must be 0 or more; got -1"):
        run_units([Unit("a", int)], retries=-1)
