import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="perturbations act on torch tensors, of the extra `training`")

from training.perturbations import StochasticReset  # noqa: E402


@pytest.mark.parametrize("buffers", ["keep", "reset", "recalibrate"])
@pytest.mark.parametrize("optimizer", ["keep", "reset"])
def test_every_value_of_a_fresh_start(runs, buffers, optimizer):
    after = runs.apply(StochasticReset(buffers=buffers, optimizer=optimizer))
    kept = set() if buffers == "reset" else runs.buffers.keys()
    runs.check(after, lambda run, name, old: old if name in kept else runs.fresh(run)[name])
    expected = ["calibration"] * (buffers == "recalibrate") + ["optimizer"] * (optimizer == "reset")
    assert runs.calls == expected


@pytest.mark.parametrize("buffers", ["keep", "reset"])
def test_every_value_of_a_checkpoint(runs, buffers, tmp_path):
    stored = runs.build().state_dict()
    stored["norm.num_batches_tracked"].fill_(12)
    torch.save(stored, tmp_path / "start.pt")
    perturbation = StochasticReset(tmp_path / "start.pt", buffers)
    assert perturbation.settings()["checkpoint"] == str(tmp_path / "start.pt")
    kept = set() if buffers == "reset" else runs.buffers.keys()
    runs.check(runs.apply(perturbation), lambda run, name, old: old if name in kept else stored[name])
    assert runs.calls == ["optimizer"]


def test_buffers_that_are_kept_need_not_be_in_the_checkpoint(runs, tmp_path):
    stored = dict(runs.build().named_parameters())
    torch.save(stored, tmp_path / "start.pt")
    after = runs.apply(StochasticReset(str(tmp_path / "start.pt"), "keep"))
    runs.check(after, lambda run, name, old: stored.get(name, old))
    with pytest.raises(ValueError, match="is of another network: 'norm.running_mean' .* the file lacks it"):
        runs.apply(StochasticReset(str(tmp_path / "start.pt")))


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_cannot_run_code(runs, tmp_path):
    mark = tmp_path / "mark"
    torch.save({"conv.weight": Evil(mark)}, tmp_path / "torch.pt")
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(Evil(mark)))
    for name in ("torch.pt", "pickle.pt"):
        with pytest.raises(ValueError, match=f"`checkpoint` .*{name} cannot be read as the state_dict"):
            runs.apply(StochasticReset(str(tmp_path / name)))
        assert not mark.exists()
    runs.check(runs.apply(StochasticReset(optimizer="keep", buffers="keep")), lambda run, name, old: (
        old if name in runs.buffers else runs.fresh(run)[name]))  # fmt: skip
    torch.load(tmp_path / "torch.pt", weights_only=False)
    assert mark.exists()


def other_network(runs):
    stored = runs.build().state_dict()
    stored["head.weight"] = torch.zeros(3, 15)
    return stored


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (other_network, r"is of another network: 'head.weight' has shape \(3, 16\) here, the file has \(3, 15\)"),
        (lambda runs: {f"module.{name}": value for name, value in runs.build().state_dict().items()},
         "'conv.weight' has shape .* the file lacks it; save the state_dict of the network itself"),
        (lambda runs: [1, 2], "must hold a state_dict, got a list"),
        (lambda runs: {**runs.build().state_dict(), "conv.bias": 3}, r"'conv.bias' has shape \(4,\) here"),
    ],
)  # fmt: skip
def test_a_checkpoint_of_something_else_is_refused_and_nothing_changes(runs, stored, message, tmp_path):
    torch.save(stored(runs), tmp_path / "start.pt")
    with pytest.raises(ValueError, match=message):
        runs.apply(StochasticReset(str(tmp_path / "start.pt")))
    runs.check({**runs.parameters, **runs.buffers}, lambda run, name, old: old)
    assert runs.calls == []


def test_a_missing_checkpoint_is_said(runs, tmp_path):
    with pytest.raises(FileNotFoundError, match="`checkpoint` .*none.pt does not exist"):
        runs.apply(StochasticReset(str(tmp_path / "none.pt")))


def test_statistics_are_not_scaled_by_a_reset():
    with pytest.raises(
        ValueError, match='`buffers` "scale" belongs to shrink and perturb; a reset has "reset"'
    ):
        StochasticReset(buffers="scale")
