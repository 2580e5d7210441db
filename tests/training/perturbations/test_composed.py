import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from training.perturbations import (  # noqa: E402
    Composed,
    LayerReset,
    OptimizerReset,
    PartialReset,
    ShrinkPerturb,
    StochasticReset,
    WarmRestart,
    WeightNoise,
)


def test_a_warm_restart_touches_the_schedule_alone(runs):
    runs.check(runs.apply(WarmRestart()), lambda run, name, old: old)
    assert runs.calls == ["schedule"]
    runs.apply(WarmRestart(optimizer="reset"))
    assert runs.calls == ["schedule", "schedule", "optimizer"]
    with pytest.raises(ValueError, match='`optimizer` must be one of "keep", "reset", got None'):
        WarmRestart(optimizer=None)


def test_an_optimizer_reset_touches_the_optimizer_alone(runs):
    runs.check(runs.apply(OptimizerReset()), lambda run, name, old: old)
    assert runs.calls == ["optimizer"]


def test_the_first_part_acts_first(runs):
    parts = (
        WeightNoise(0.5, buffers="recalibrate"),
        WarmRestart(),
        ShrinkPerturb(0.4, 0.1),
        OptimizerReset(),
    )
    after = runs.apply(Composed(parts))
    names = list(runs.parameters)

    def rule(run, name, old):
        if name not in names:
            return old
        return 0.4 * (old + 0.5 * runs.numbers(run, names)[name]) + 0.1 * runs.fresh(run, 1)[name]

    runs.check(after, rule)
    assert runs.calls == ["calibration", "schedule", "optimizer", "optimizer"]


def test_a_partial_reset_ranks_what_the_part_before_has_left(runs):
    after = runs.apply(Composed((StochasticReset(), PartialReset(0.3, source="uniform"))))
    kept = {name: runs.fresh(1)[name].abs() for name in ("conv.weight", "norm.weight", "head.weight")}
    threshold = torch.cat([value.flatten() for value in kept.values()]).sort().values
    for name, value in kept.items():
        changed = runs.parameters[name][1] != runs.fresh(1)[name]
        assert torch.equal(changed, value < threshold[round(0.3 * len(threshold))])
    assert after is not None


def test_one_part_is_that_part_and_nesting_changes_nothing(make_runs):
    plain, composed, nested = (make_runs() for _ in range(3))
    parts = (ShrinkPerturb(), WeightNoise(0.1), LayerReset())
    expected = plain.apply(Composed(parts))
    nested.check(
        nested.apply(Composed((Composed(parts[:2]), parts[2]))), lambda run, name, _: expected[name][run]
    )
    alone = make_runs()
    after = alone.apply(ShrinkPerturb())
    composed.check(composed.apply(Composed([ShrinkPerturb()])), lambda run, name, _: after[name][run])


def test_name_settings_and_what_the_parts_ask_for():
    both = Composed((PartialReset(0.2, source="uniform"), WarmRestart()))
    assert both.name == "partial_reset+warm_restart"
    assert both.settings()["kind"] == "composed"
    assert [part["kind"] for part in both.settings()["parts"]] == ["partial_reset", "warm_restart"]
    asks = (both.initialises, both.restarts, both.recalibrates, both.resets_optimizer)
    assert asks == (False, True, False, False)
    more = Composed((both, ShrinkPerturb(buffers="recalibrate")))
    assert (more.initialises, more.restarts, more.recalibrates, more.resets_optimizer) == (True,) * 4


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (LayerReset(last=9), "`last` must be at most 3"),
        (LayerReset(layers=("x",)), "`layers` 'x' is not in this network"),
        (Composed((OptimizerReset(), LayerReset(last=9))), "`last` must be at most 3"),
    ],
)
def test_a_part_that_cannot_be_done_stops_all_before_anything_changes(runs, last, message):
    with pytest.raises(ValueError, match=message):
        runs.apply(Composed((WarmRestart(), ShrinkPerturb(), last)))
    runs.check({**runs.parameters, **runs.buffers}, lambda run, name, old: old)
    assert runs.calls == []


@pytest.mark.parametrize("parts", [(), (3,), ShrinkPerturb(), [ShrinkPerturb], None])
def test_errors(parts):
    with pytest.raises(ValueError, match="`parts` must be perturbations, at least one, got .*; give a tuple"):
        Composed(parts)
