"""Every example script runs, at a small size."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EXPECTED = {
    "adaptive_perturbation.py": "adaptive: [",
    "lightning_callback.py": "the same weights at the end",
    "own_runs.py": "speed-up",
    "own_training_loop.py": "81.5",
    "predict_from_one_period.py": "quasi-steady state",
    "qss_error.py": "linear response",
    "resnet18_cifar10.py": "trained 8 epochs for 12: unperturbed, shrink_perturb:1, partial_reset:1",
    "resnet18_traces.py": "unperturbed: 2 of 8 runs reach 67 %",
    "validate_toy_models.py": "largest error",
    "where_it_fails.py": "linear response refused",
}
ARGUMENTS = {
    "adaptive_perturbation.py": ["figure.png"],
    "lightning_callback.py": [],
    "own_runs.py": ["runs.h5"],
    "own_training_loop.py": [],
    "predict_from_one_period.py": ["figure.png"],
    "qss_error.py": ["figure.png"],
    "resnet18_cifar10.py": ["study", "random"],
    "resnet18_traces.py": ["figure.png"],
    "validate_toy_models.py": [".", "ornstein-uhlenbeck", "markov"],
    "where_it_fails.py": ["figure.png"],
}
SIZE = {
    "adaptive_perturbation.py": "1",
    "own_training_loop.py": "700",
    "resnet18_cifar10.py": "12",
    "resnet18_traces.py": "67",
}
NEEDS = {"resnet18_cifar10.py": "torchvision", "lightning_callback.py": "lightning"}
OUTPUT = {
    "own_runs.py": "runs.h5",
    "resnet18_cifar10.py": "study/runs.h5",
    "validate_toy_models.py": "validate_markov.png",
}


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("script", sorted(EXPECTED))
def test_example_runs(script, tmp_path, pytestconfig):
    if script in NEEDS:
        pytest.importorskip(NEEDS[script], reason=f"the example needs {NEEDS[script]}")
    filters = [f"-W{each}" for each in ["error", *(pytestconfig.getoption("pythonwarnings") or [])]]
    command = [sys.executable, *filters, EXAMPLES / script, SIZE.get(script, "150"), *ARGUMENTS[script]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert EXPECTED[script] in done.stdout
    if ARGUMENTS[script]:
        assert (tmp_path / OUTPUT.get(script, "figure.png")).stat().st_size > 1000
