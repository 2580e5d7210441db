"""The built wheel holds the three packages and works alone: without torch, away from the source tree."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("stochreset", "theory", "training")
NEEDED = ("pyproject.toml", "README.md", "LICENSE")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def run(*command, cwd, check=True):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="module")
def package_index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    probe = run(
        *(*PIP, "download", "--no-deps", "--retries", "0", "--timeout", "10", "--dest", folder, "packaging"),
        cwd=folder,
        check=False,
    )
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        pytest.skip(f"no package index is reachable, so no wheel can be built and installed: {reason}")


@pytest.fixture(scope="module")
def wheel(package_index, tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    for name in NEEDED:
        shutil.copy2(ROOT / name, tree)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    # A folder that must stay out of the wheel.
    (tree / "tests").mkdir()
    (tree / "tests" / "__init__.py").touch()
    run(*PIP, "wheel", "--no-deps", "--wheel-dir", tree / "dist", tree, cwd=tree)
    (built,) = (tree / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of executables of an environment that holds the wheel and its base dependencies alone."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    bin_folder = home / ("Scripts" if os.name == "nt" else "bin")
    run(*PIP, "--python", bin_folder / "python", "install", "--no-compile", wheel, cwd=home)
    return bin_folder


def test_wheel_holds_the_three_packages_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    version = wheel.name.split("-")[1]
    assert {name.split("/")[0] for name in names} == {*PACKAGES, f"stochreset-{version}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".css", ".js", ".typed")
    }
    assert sources <= set(names)


def test_packages_import_without_torch_and_away_from_the_tree(installed, tmp_path):
    code = (
        "import importlib.util, stochreset, theory, training\n"
        "assert importlib.util.find_spec('torch') is None\n"
        "print(stochreset.__file__, theory.__file__, training.__file__, sep='\\n')"
    )
    files = run(installed / "python", "-c", code, cwd=tmp_path).stdout.split("\n")[:3]
    assert all(Path(file).is_relative_to(installed.parent) for file in files)


def test_command_line_starts(installed, tmp_path):
    assert "Usage" in run(installed / "stochreset", "--help", cwd=tmp_path).stdout
