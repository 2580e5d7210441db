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
    "theory": {"matplotlib", "torch", "numba"},
    "stochreset": {"matplotlib", "torch"},
    "training": {"matplotlib", "torch"},
}


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


@pytest.mark.parametrize("package", HEAVY)
def test_importing_a_package_loads_nothing_heavy(package):
    code = f"import sys, {package}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert package in loaded
    assert not loaded & HEAVY[package]
