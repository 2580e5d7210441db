"""Reports of runs files whose every text is hostile: to a browser, a spreadsheet, or a file system."""

import csv
import json

import pytest

from stochreset import PlateauMixture
from stochreset.cli import main
from stochreset.cli.reporting import analyse, predictions_csv
from training import RunGroup, read_study, write_runs

from ..stochreset.html_page import Page

LAW = dict(plateau_mean=90.0, plateau_spread=0.8, noise=0.3, depth=20.0, relaxation_time=1.5)
SCRIPT = "</script><script>alert(1)</script>"
FORMULA = "=cmd|'!C calc'!A0"
PROVENANCE = {
    "time": f"{SCRIPT}\u2028\u2029",
    "command": "rm -rf ~ # \"'><img src=x onerror=alert(2)>",
    "config": {f"<b>{SCRIPT}": {"'": '"', "&lt;": "&amp;<!--"}, "number": 10**30},
    "optimize": {"sentence": SCRIPT, "horizon": 1e308, "answers": [{"threshold": "x"}, 3], "steps": {"a": 1}},
    "imported": {"unperturbed": SCRIPT, "x:3": ["<", 1]},
    "packages": [SCRIPT, None],
}


def write(path, name, metric):
    toy = PlateauMixture(**LAW, depth_after=8)
    free, kicked = toy.simulate(60, 80, seed=1), toy.simulate(60, 80, period=20, seed=2, perturbation="x")
    directions = {metric: "at_least"}
    ensembles = [
        RunGroup(free.seeds, {metric: free.values}, directions),
        RunGroup(kicked.seeds, {metric: kicked.values}, directions, name, 20, {SCRIPT: f"{SCRIPT}\u2028"}),
    ]
    return write_runs(path, ensembles, provenance=PROVENANCE)


@pytest.fixture(
    scope="module",
    params=[("<script>alert(1)<\\script>", '"><svg onload=alert(3)>'), (FORMULA, "a$\\frac{b$")],
)
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    runs = write(folder / "runs.h5", *request.param)
    words = ["report", str(runs), "--threshold", "91", "--thresholds", "91", "--resamples", "20"]
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main([*words, "--out", str(folder / "out")]))
    assert not ended.value.code
    return request.param, folder


def test_the_page_holds_no_element_of_others(report):
    (name, metric), folder = report
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    scripts = Page(text).all("script")
    assert len(scripts) == text.count("<script") == text.count("</script>") == 2
    for tag in ("img", "iframe", "b", "object"):
        assert not Page(text).all(tag)
    assert not [key for each in Page(text).elements for key in each if str(key).startswith("on")]
    embedded = json.loads(Page(text).id("data")["text"])
    assert embedded["perturbations"] == [name] and embedded["metric"] == metric
    assert "\u2028" not in Page(text).id("data")["text"]


def test_files_lie_in_the_folder(report):
    _, folder = report
    assert sorted(each.name for each in folder.iterdir()) == ["out", "runs.h5"]
    for path in (folder / "out").iterdir():
        assert path.is_file() and not path.is_symlink() and path.name.isascii()


def test_the_table_is_safe_in_a_spreadsheet(report):
    (name, _), folder = report
    with open(folder / "out" / "summary.csv", encoding="utf-8", newline="") as handle:
        head, *rows = csv.reader(handle)
    assert {row[0] for row in rows} == {f"'{name}" if name.startswith("=") else name}
    for row in rows:
        for column, cell in zip(head, row, strict=True):
            if column in ("perturbation", "model", "status", "reason"):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            elif cell:
                float(cell)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "|x", "%x"])
def test_names_that_are_formulas(tmp_path, name):
    analysis = analyse(read_study(write(tmp_path / "runs.h5", name, "m")), 91, resamples=10)
    _, *rows = csv.reader(predictions_csv(analysis).splitlines())
    assert {row[0] for row in rows} == {f"'{name}"}
