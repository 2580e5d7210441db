import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from training.perturbations import ShrinkPerturb  # noqa: E402

WEIGHTS = {"conv.weight", "head.weight"}


@pytest.mark.parametrize("scope", ["all", "weights"])
@pytest.mark.parametrize("buffers", ["keep", "scale", "reset", "recalibrate"])
@pytest.mark.parametrize("source", ["initialisation", "gaussian"])
def test_every_value(runs, source, scope, buffers):
    after = runs.apply(ShrinkPerturb(0.4, 0.1, source, scope, buffers))
    names = [name for name in runs.parameters if scope == "all" or name in WEIGHTS]

    def rule(run, name, old):
        # A fresh network for the buffers comes after the normal numbers.
        fresh = runs.fresh(run, int(source == "gaussian"))
        new = fresh if source == "initialisation" else runs.numbers(run, names)
        if name in names:
            return 0.4 * old + 0.1 * new[name]
        if name in runs.buffers:
            return {"scale": 0.4 * old + 0.1 * fresh[name], "reset": fresh[name]}.get(buffers, old)
        return old

    runs.check(after, rule)
    assert runs.calls == (["calibration"] if buffers == "recalibrate" else []) + ["optimizer"]


def test_the_number_of_batches_is_cut_off(runs):
    after = runs.apply(ShrinkPerturb(0.4, 0.1, buffers="scale"))
    assert after["norm.num_batches_tracked"].tolist() == [2, 100, 13]
    assert after["norm.num_batches_tracked"].dtype == torch.int64


def test_the_optimizer_is_kept_where_asked(runs):
    runs.apply(ShrinkPerturb(optimizer="keep"))
    assert runs.calls == []


def test_limits(make_runs):
    runs, replaced = make_runs(), make_runs()
    runs.check(runs.apply(ShrinkPerturb(1, 0)), lambda run, name, old: old)
    after = replaced.apply(ShrinkPerturb(0, 1, buffers="reset"))
    replaced.check(after, lambda run, name, old: runs.fresh(run)[name])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shrink": -0.1}, r"`shrink` must be a finite number of at least 0, got -0.1"),
        ({"noise": float("nan")}, r"`noise` must be a finite number .*, got nan; .* is a full reset"),
        ({"noise": True}, "`noise` must be a finite number of at least 0, got True"),
        ({"noise": "1"}, "`noise` must be a finite number of at least 0, got '1'"),
        ({"source": "uniform"}, '`source` must be one of "initialisation", "gaussian", got \'uniform\''),
        ({"scope": "bias"}, '`scope` must be one of "all", "weights", got \'bias\''),
        ({"buffers": "drop"}, '`buffers` must be one of "keep", "scale", "reset", "recalibrate", got'),
        ({"optimizer": True}, '`optimizer` must be one of "keep", "reset", got True'),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        ShrinkPerturb(**settings)
