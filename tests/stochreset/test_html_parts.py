"""Parts of the HTML report: markup, figures, thresholds of the slider, commands, and the record of a search."""

import json

import numpy as np
import pytest

from stochreset.cli.html import default_thresholds, parse_thresholds
from stochreset.cli.html.markup import Html, element, embedded_json, safe
from stochreset.cli.html.pareto import pareto_points
from stochreset.cli.html.record import SearchRecord
from stochreset.cli.html.search import answers_section, steps_section
from stochreset.cli.html.settings import commands
from stochreset.cli.html.svg import inline_svg
from theory import Ensemble, Study
from training import read_study

from .html_page import Page
from .small_studies import SEARCH, write_study


def test_everything_but_html_is_escaped():
    assert safe("<&\"'>") == "&lt;&amp;&quot;&#x27;&gt;"
    assert element("p", Html("<b>"), "<i>", title='"') == '<p title="&quot;"><b>&lt;i&gt;</p>'
    embedded = embedded_json({"a": "</script><!--&\u2028"})
    assert not set("<>&\u2028") & set(embedded) and json.loads(embedded) == {"a": "</script><!--&\u2028"}


@pytest.mark.filterwarnings("ignore:Glyph 1:UserWarning")
def test_figures_keep_odd_names_as_they_are():
    svg = inline_svg(lambda ax: ax.set_title("$\\broken$ <i> \x01"), "one", "a <label>")
    assert "$\\broken$ &lt;i&gt;" in svg and "<style" not in svg and 'aria-label="a &lt;label&gt;"' in svg
    assert svg == inline_svg(lambda ax: ax.set_title("$\\broken$ <i> \x01"), "one", "a <label>")


def test_commands_of_imported_runs():
    imported = {"unperturbed": "free runs", "shrink_perturb:20": "$(rm)"}
    (made, report) = commands(
        {"config": {"imported": imported}}, "a b.h5", {"threshold": 74.5, "measured": ["x=2"]}
    )
    assert made.split(" \\\n    ") == [
        "stochreset import-traces 'a b.h5'", "--unperturbed 'free runs'", "--perturbed 'shrink_perturb:20:$(rm)'",
    ]  # fmt: skip
    assert report == "stochreset report 'a b.h5' --threshold 74.5 --measured x=2 --out DIR"


# Thresholds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("72:74:0.5", [72, 72.5, 73, 73.5, 74]), ("73,72,72", [72, 73]), ("-0.3:-0.1:0.1", [-0.3, -0.2, -0.1])],
)
def test_thresholds_are_read(text, expected):
    assert parse_thresholds(text) == expected


@pytest.mark.parametrize("text", ["", "72:74", "a,b", "74:72:1", "72:74:0", "nan", "1:2:inf", "0:1000:0.1"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="`--thresholds`"):
        parse_thresholds(text)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("threshold", [91, 60, 200])
def test_default_thresholds_hold_the_given_one_and_are_even(tmp_path, sign, threshold):
    study = read_study(write_study(tmp_path / "runs.h5", sign=sign))
    found = default_thresholds(study, sign * threshold)
    assert sign * threshold in found and 3 <= len(found) <= 9
    steps = np.diff([each for each in found if each not in (sign * 60, sign * 200)])
    assert steps == pytest.approx(steps[0]) and 0 < steps[0] < 1


def test_default_thresholds_of_runs_that_tell_nothing():
    flat = Ensemble(np.full((5, 10), 3.0), np.arange(5))
    assert default_thresholds(Study(flat), 3.0) == [3.0]


JUNK = (None, 3, "text", [], {}, [1, None, "x", {}], {"value": "x"}, {"a": None}, float("nan"))


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_any_part_of_the_record_may_be_missing_or_odd(junk, monkeypatch):
    monkeypatch.setattr("stochreset.cli.html.search.figure", lambda *_: Html("<figure></figure>"))
    whole = [dict(SEARCH, **{key: junk}) for key in SEARCH]
    whole += [{key: value for key, value in SEARCH.items() if key != left_out} for left_out in SEARCH]
    for part in ("answers", "steps"):
        for key in SEARCH[part][0]:
            whole.append({**SEARCH, part: [dict(SEARCH[part][0], **{key: junk}), *SEARCH[part][1:]]})
    whole += [{**SEARCH, "cost": {**SEARCH["cost"], key: junk}} for key in SEARCH["cost"]]
    for document in whole:
        record = SearchRecord(document)
        page = Page(f"{steps_section(record)}{answers_section(record, 'metric')}")
        assert not page.unbalanced and not page.open
        assert all(
            low <= value <= high
            for line in pareto_points(record.answers).values()
            for _, value, low, high in line
        )
