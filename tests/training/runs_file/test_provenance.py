"""The record of where a file comes from, and that it needs no torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.provenance import git_commit, provenance


def test_provenance_tells_where_a_file_comes_from():
    record = provenance({"learning_rate": 0.1})
    assert record["config"] == {"learning_rate": 0.1}
    assert record["packages"]["numpy"] == np.__version__
    assert record["time"].endswith("+00:00")
    assert json.loads(json.dumps(record)) == record
    with pytest.raises(ValueError, match="`config` must be JSON"):
        provenance({"array": np.zeros(2)})


def test_provenance_does_not_start_cuda(monkeypatch):
    torch = pytest.importorskip("torch", reason="without torch nothing can start CUDA")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    assert "gpu" not in provenance()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert provenance()["gpu"] == "a GPU"


def test_commit_only_of_this_project(tmp_path, monkeypatch):
    assert git_commit(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert git_commit(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('name = "stochreset"\n')
    assert git_commit(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path) is None


def test_import_needs_no_torch():
    code = "import sys, training, training.provenance as p; p.provenance(); sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root, timeout=60)
