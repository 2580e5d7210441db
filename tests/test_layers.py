"""The arrows between the packages go one way: theory <- stochreset, theory <- training."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "theory": {"stochreset", "training", "numba", "torch", "h5py"},
    "stochreset": {"training"},
    "training": {"stochreset"},
}
HEAVY = {
    *("scipy", "sklearn", "torch", "torchvision", "matplotlib", "numba", "h5py", "PIL", "pandas", "xarray"),
    *("rich", "optuna", "lightning", "distributed", "submitit", "mkdocs", "pytest"),
}
ALLOWED = {"theory": {"numpy"}, "stochreset": set(), "stochreset.cli": set(), "training": {"numpy", "h5py"}}
"""What importing a package may load of what takes time: a first prediction or `--help` should not wait."""


def imported_packages(source: str, package: str) -> set[str]:
    """Top-level names of everything that ``source``, a module of ``package``, imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(package if node.level else str(node.module).split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
            names.add(ast.unparse(node.args[0]).strip("'\"").split(".")[0])
    return names


def modules(package: str) -> list[Path]:
    # The command line of stochreset is the one place that ties all three packages together.
    cli = ROOT / "stochreset" / "cli"
    return [
        path
        for path in sorted((ROOT / package).rglob("*.py"))
        if cli not in path.parents and path != cli.with_suffix(".py")
    ]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_module_imports_against_the_arrows(package):
    paths = modules(package)
    assert paths, f"no modules found in {package}"
    offences = {
        str(path.relative_to(ROOT)): found
        for path in paths
        if (found := imported_packages(path.read_text(encoding="utf-8"), package) & FORBIDDEN[package])
    }
    assert not offences


@pytest.mark.parametrize(
    "source",
    [
        "import torch.nn as nn",
        "from torch.nn import Linear",
        "def later():\n    import torch",
        "import importlib\nimportlib.import_module('torch.nn')",
        "if TYPE_CHECKING:\n    from torch import Tensor",
    ],
)
def test_the_search_for_imports_finds_each_kind(source):
    assert "torch" in imported_packages(source, "theory")


def test_relative_imports_stay_within_the_package():
    assert imported_packages("from . import training\nfrom .torch import x", "theory") == {"theory"}


def loaded_by(code: str) -> set[str]:
    """Top-level names, and full ones, of what is loaded after ``code``."""
    code = f"{code}\nimport sys\nprint('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = set(done.stdout.rpartition("loaded:")[2].split())
    return names | {name.split(".")[0] for name in names}


@pytest.mark.parametrize("package", ALLOWED)
def test_importing_a_package_loads_nothing_heavy(package):
    loaded = loaded_by(f"import {package}")
    assert package in loaded
    assert loaded & (HEAVY | {"numpy"}) == ALLOWED[package]


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy_but_what_draws_the_help(argument):
    loaded = loaded_by(
        f"from contextlib import suppress\nfrom stochreset.cli import main\n"
        f"with suppress(SystemExit): main([{argument!r}])"
    )
    assert "stochreset.cli" in loaded
    assert not loaded & ((HEAVY | {"numpy"}) - {"rich"})


def test_the_search_for_what_is_loaded_finds_it():
    assert {"scipy", "scipy.special"} <= loaded_by("import scipy.special") & (HEAVY | {"scipy.special"})
