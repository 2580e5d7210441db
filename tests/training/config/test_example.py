import dataclasses
import tomllib

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.config import example  # noqa: E402
from training.data import Digits  # noqa: E402
from training.executors import ExecutorSettings  # noqa: E402
from training.networks import MLP  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import ShrinkPerturb  # noqa: E402
from training.study.settings import TrainingStudy  # noqa: E402
from training.task import Hardware, Task  # noqa: E402


def test_the_example_is_the_study_with_all_defaults(load):
    study = load(example())
    bare = dataclasses.replace(study, treatments=())
    assert bare == TrainingStudy(Task(Digits(), MLP()), epochs=160, seeds=tuple(range(200)))
    assert study.treatments[0].perturbation == ShrinkPerturb()
    assert [treatment.group for treatment in study.treatments] == [
        "shrink_perturb:20",
        "shrink_perturb:40",
        "shrink_perturb:poisson-0.05",
        "shrink_perturb:once-30",
        "shrink_perturb:20@60",
        "shrink_perturb:20@80",
        "shrink_perturb:40@60",
        "shrink_perturb:40@80",
        "both:20",
    ]


def test_the_example_shows_every_key(load):
    lines = [line.lstrip("# ") for line in example().splitlines()]
    shown = {line.partition(" =")[0] for line in lines if " =" in line}
    for settings in (TrainingStudy, Task, Digits, MLP, SGD, Hardware, ShrinkPerturb, ExecutorSettings):
        wanted = {field.name for field in dataclasses.fields(settings)}
        # Tables, and what cannot be said in a configuration.
        wanted -= {"task", "treatments", "executor", "data", "network", "schedule", "hardware", "metrics"}
        assert wanted <= shown, settings


def test_what_is_commented_out_loads_too(load):
    lines = example().splitlines()
    switched = "\n".join(
        line[2:] if line.startswith("# ") and " = " in line.split("#")[1] else line for line in lines
    )
    switched = switched.replace('address = "tcp', '# address = "tcp').replace(
        'kind = "in-process"', 'kind = "slurm"'
    )
    assert len(tomllib.loads(switched)["perturbation"][0]) > len(tomllib.loads(example())["perturbation"][0])
    study = load(switched)
    assert study.threshold == 93
    assert study.executor.options["timeout_min"] == 240
    assert study.treatments[0].seeds == tuple(range(1000, 1200))


def test_the_example_fits_a_terminal():
    assert max(map(len, example().splitlines())) <= 120
