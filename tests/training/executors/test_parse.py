import subprocess
import sys

import pytest

from training.executors import ExecutorSettings, open_executor, parse_executor


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("in-process", ExecutorSettings()),
        ("processes", ExecutorSettings("processes")),
        ("processes:12", ExecutorSettings("processes", workers=12)),
        ("gpus", ExecutorSettings("gpus")),
        ("gpus:all", ExecutorSettings("gpus")),
        ("gpus:2", ExecutorSettings("gpus", workers=2)),
        ("dask://node7:8786", ExecutorSettings("dask", address="tcp://node7:8786")),
        ("dask:runs/cluster.json", ExecutorSettings("dask", address="runs/cluster.json")),
        ("slurm", ExecutorSettings("slurm")),
        ("slurm:gpu-long", ExecutorSettings("slurm", options={"slurm_partition": "gpu-long"})),
        ("submitit-local", ExecutorSettings("submitit-local")),
        ("submitit-local:2", ExecutorSettings("submitit-local", workers=2)),
    ],
)
def test_short_forms(text, settings):
    assert parse_executor(text) == settings
    assert isinstance(hash(settings), int)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "threads",
        "processes:0",
        "processes:all",
        "gpus:-1",
        "dask",
        "dask:here",
        "dask://node7",
        "slurm:a:b",
    ],
)
def test_other_texts_are_refused_with_the_allowed_forms(text):
    with pytest.raises(ValueError, match=r"`spec` .* in-process, processes\[:N\], gpus\[:N\|all\], dask://"):
        open_executor(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "threads"}, "`kind` must be one of in-process, processes"),
        ({"kind": "processes", "workers": 0}, "`workers` must be a whole number of at least 1.*got 0"),
        ({"kind": "processes", "workers": "2"}, "`workers` must be a whole number of .*default; got '2'"),
        ({"kind": "gpus", "workers": 1.5}, "`workers` must be a whole number of at least 1.*got 1.5"),
        ({"kind": "dask"}, "`address` must be given for the kind 'dask'.*got None"),
        (
            {"kind": "slurm", "address": "node7"},
            "`address` must be given for the kind 'dask' and for no other",
        ),
        ({"kind": "gpus", "options": {"mem_gb": 4}}, "`options` are parameters of submitit"),
    ],
)
def test_settings_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExecutorSettings(**arguments)


@pytest.mark.parametrize(
    ("spec", "library", "extra"),
    [("dask://localhost:1", "distributed", "dask"), ("slurm", "submitit", "slurm")],
)
def test_a_missing_library_is_named(spec, library, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"pip install 'stochreset\[{extra}\]'"), open_executor(spec):
        pass


def test_importing_the_package_imports_no_heavy_library():
    check = (
        "import sys, training.executors, training.executors.run_units; "
        "sys.exit(bool({'torch', 'distributed', 'dask', 'submitit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
