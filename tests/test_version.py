"""One version, pyproject.toml's, wherever it is shown or recorded."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import stochreset
from stochreset.cli import main
from training.provenance import provenance

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_installed_version():
    assert metadata.version("stochreset") == VERSION, (
        "pyproject.toml is newer than the installation: make lint"
    )


def test_attribute():
    assert stochreset.__version__ == VERSION


def test_command_line(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert not ending.value.code
    assert capsys.readouterr().out == f"stochreset {VERSION}\n"


def test_provenance_of_runs_files():
    assert provenance()["packages"]["stochreset"] == VERSION


def test_citation():
    (cited,) = re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    assert cited == VERSION


def test_changelog_begins_with_it_or_with_what_is_not_released():
    first = re.search(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert first is not None and first[1] in (VERSION, "Unreleased")


def test_no_page_states_another_one():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    stated = {
        (page.name, found)
        for page in pages
        for found in re.findall(r"stochreset[ =-]+v?(\d+\.\d+\.\d+)", page.read_text(encoding="utf-8"))
    }
    assert {found for _, found in stated} <= {VERSION}, stated
