"""The bar of a study: what it says of runs that are under way."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="the trainer needs the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from training.blocks import BlockRun  # noqa: E402
from training.losses import Metric  # noqa: E402
from training.study.plan import plan_units  # noqa: E402
from training.study.progress import ProgressNote, note_file, study_bar  # noqa: E402


@pytest.mark.parametrize(
    ("name", "direction", "best"), [("error", "at_most", min), ("loss", "at_least", max)]
)
def test_the_best_value_goes_by_the_direction_of_the_metric(cases, tmp_path, name, direction, best):
    metric = Metric(name, lambda outputs, targets: outputs.square().mean(), direction)
    task = replace(cases.TASK, metrics=(metric,))
    units = plan_units(cases.small(task=task, epochs=2, treatments=(), block_size=2, metric=name), tmp_path)
    found = []
    for unit in units:
        run = BlockRun(task.prepare(), unit.seeds, 2)
        while not run.finished:
            run.step()
        ProgressNote(unit).write(run)
        found.append(json.loads(note_file(unit).read_text())["best"])
    assert len(set(found)) == 3
    done, runs, text = study_bar(units, show=True)._done()
    assert (done, runs, text) == (10, 0, f", best {name} {best(found):.4g}")
