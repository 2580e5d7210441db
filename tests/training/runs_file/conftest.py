import pytest

from training import write_runs

from .small_groups import group


@pytest.fixture
def path(tmp_path):
    groups = [group(), group(2, 6, "shrink", 20, {"by": [0.4]}), group(1, 2, "shrink", 3)]
    return write_runs(tmp_path / "runs.h5", groups)
