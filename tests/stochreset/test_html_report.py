"""The page that ``stochreset report`` writes: its parts, its numbers, and that nothing in it can do harm."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from stochreset.cli.html.record import search_record
from theory import Ensemble, Study, rank, relaxation
from training import read_study

from .html_page import Page
from .small_studies import HOSTILE, SEARCH, SENTENCE, write_page_alone, write_report, write_study

THRESHOLDS = "60,90.5,91,91.5,200"


@pytest.fixture(scope="module")
def runs_file(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("html") / "runs.h5")


@pytest.fixture(scope="module")
def text(runs_file, tmp_path_factory):
    return write_report(runs_file, tmp_path_factory.mktemp("page"), "--thresholds", THRESHOLDS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A file whose every text wants to be HTML, with the record of a search."""
    folder = tmp_path_factory.mktemp("hostile")
    config = {
        "study": {"name": "</script><script>alert(1)</script>", "network": {"width": 64}},
        "epochs_trained": 900,
        "epochs_independent": 1000,
    }
    runs = write_study(
        folder / "runs.h5",
        first=HOSTILE,
        metric='<b>accuracy & "more"',
        cpu=HOSTILE,
        config=config,
        optimize=SEARCH,
    )
    return write_page_alone(runs, folder, [91, 91.5]).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def data(page):
    return json.loads(page.id("data")["text"])


# Structure


def test_the_answer_comes_first(page):
    (heading,) = page.all("h1")
    assert heading["text"].startswith("Use shrink_perturb every ")
    first = next(each for each in page.elements if each["tag"] in ("h1", "h2", "p", "table", "figure"))
    assert first is heading


def test_all_sections_are_there_and_balanced(page):
    assert not page.unbalanced and not page.open
    assert [each["id"] for each in page.all("section") if "section" not in each["within"]] == [
        "evidence", "cost", "explore", "settings",
    ]  # fmt: skip
    for each in page.all("section"):
        assert page.id(each["aria-labelledby"])["tag"] in ("h2", "h3")
    targets = {each["href"].removeprefix("#") for each in page.all("a")}
    assert targets == {"evidence", "cost", "explore", "settings"}


def test_evidence(page):
    evidence = page.id("evidence")["text"]
    for part in (
        "Quasi-steady state: reached",
        "mean residual time",
        "Ranking",
        "Confirmation",
        "extrapolated",
    ):
        assert part in evidence
    captions = [each["text"] for each in page.all("caption")]
    assert any("shrink_perturb: mean first-passage times" in each for each in captions)
    # Traces, quasi-steady state and survival; for two perturbations traces and response; the ranking.
    assert len(page.all("figure")) == len(page.all("figcaption")) == 8


def test_identifiers_are_unique_and_references_resolve(page, text):
    identifiers = [each["id"] for each in page.elements if "id" in each]
    assert len(identifiers) == len(set(identifiers))
    for reference in re.findall(r'url\(#([^)"]*)\)|href="#([^"]*)"', text.split("<script")[0]):
        assert max(reference) in identifiers


def test_tables_have_captions_and_scopes(page):
    assert len(page.all("table")) == len(page.all("caption"))
    for each in page.all("th"):
        assert each["scope"] == ("col" if "thead" in each["within"] else "row")
    for each in page.all("svg"):
        assert each.get("aria-hidden") == "true" or (each["role"] == "img" and each["aria-label"])


def test_slider_is_labelled(page):
    slider = page.id("threshold")
    assert (slider["type"], slider["min"], slider["max"], slider["value"]) == ("range", "0", "4", "2")
    assert slider["aria-valuetext"] == "test accuracy at least 91"
    assert any(each.get("for") == "threshold" for each in page.all("label"))
    assert page.id("sentence")["aria-live"] == "polite"


def test_cost_counts_runs_and_epochs(page, hostile):
    cost = page.id("cost")["text"]
    assert "unperturbed" in cost and "9,600" in cost and "38,400" in cost and "not recorded" in cost
    cost = Page(hostile).id("cost")["text"]
    assert "Trained: 900 epochs" in cost and "1,000" in cost and "10 %" in cost
    assert "17,600 of 176,000, 10 times fewer" in cost


def test_commands_reproduce_the_report(page, runs_file):
    settings = page.id("settings")["text"]
    command = (
        "stochreset report runs.h5 --threshold 91 --thresholds 60,90.5,91,91.5,200 --resamples 100 --seed 0"
    )
    assert command in settings
    assert hashlib.sha256(runs_file.read_bytes()).hexdigest() in settings
    assert "numpy" in settings and "python" in settings


def test_settings_are_shown_one_by_one(hostile):
    page = Page(hostile)
    terms = [each["text"] for each in page.all("dt")]
    values = dict(zip(terms, (each["text"] for each in page.all("dd")), strict=True))
    assert values["runs: study.network.width"] == "64" and values["runs: cpu"] == HOSTILE
    assert not any("optimize" in term or "epochs_trained" in term for term in terms)
    assert "stochreset train CONFIG.toml" in page.id("settings")["text"]


def test_one_threshold_is_enough_and_the_same_input_gives_the_same_bytes(runs_file, tmp_path):
    text = write_page_alone(runs_file, tmp_path, [91.0]).read_text(encoding="utf-8")
    again = write_page_alone(runs_file, tmp_path, [91.0]).read_text(encoding="utf-8")
    page = Page(text)
    assert (page.id("threshold")["min"], page.id("threshold")["max"]) == ("0", "0")
    assert text == again


# Self-containedness


def test_nothing_is_fetched(page, text, hostile):
    for content in (page, Page(hostile)):
        for each in content.elements:
            assert not each.keys() & {"src", "srcset", "action", "data", "background", "poster"}
            assert each.get("href", "#").startswith(("#", "data:,"))
            assert not any(key.startswith("on") for key in each)
        assert not content.all("img", "iframe", "object", "embed", "base", "form")
    style = "".join(each["text"] for each in page.all("style"))
    assert "@import" not in style and "url(" not in style
    assert "eval" not in text and "innerHTML" not in text and "http-equiv" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text


def test_policy_lets_only_the_script_of_the_page_run(page):
    (policy,) = (e["content"] for e in page.all("meta") if e.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    (script,) = (each["text"] for each in page.all("script") if "type" not in each)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"


# Escaping


def test_texts_of_the_file_stay_texts(hostile):
    page = Page(hostile)
    assert not page.unbalanced and not page.open
    assert not page.all("img", "b") and len(page.all("script")) == 2
    assert page.all("h1")[0]["text"] == SENTENCE
    assert "<img" not in hostile and "</script><script>alert" not in hostile
    data = json.loads(page.id("data")["text"])
    assert HOSTILE in data["perturbations"] and data["metric"] == '<b>accuracy & "more"'
    assert HOSTILE in page.id("settings")["text"]


# Numbers


def test_embedded_numbers_are_those_of_the_ranking(data, runs_file):
    study = read_study(runs_file)
    qss = relaxation(study.unperturbed)
    assert [each["threshold"] for each in data["positions"]] == [60, 90.5, 91, 91.5, 200]
    assert data["positions"][data["chosen"]]["threshold"] == 91
    for position in data["positions"][1:4]:
        ranking = rank(study, position["threshold"], qss=qss, resamples=100, seed=0)
        for found, optimum in zip(position["rank"]["ranking"], ranking.optima, strict=True):
            prediction, speedup = optimum.prediction, optimum.speedup
            assert (found["perturbation"], found["period"]) == (optimum.perturbation, prediction.period)
            assert (found["mean"], found["low"], found["high"]) == (
                prediction.mean,
                prediction.low,
                prediction.high,
            )
            assert (found["speedup"], found["speedup_low"]) == (speedup.value, speedup.low)
            best = position["predict"][optimum.perturbation]["best"]
            assert best == {"period": prediction.period, "mean": prediction.mean}
        curve = position["survival"]
        sample = study.unperturbed.first_passage(position["threshold"])
        assert curve["time"] == list(range(81))
        assert curve["value"] == pytest.approx([np.mean(sample.times > t) for t in range(80)] + [
            np.mean(sample.censored)], abs=1e-5)  # fmt: skip


def test_thresholds_without_an_answer_say_so(data, page):
    easy, *_, hard = data["positions"]
    assert not easy["possible"] and easy["rank"] is None
    assert easy["sentence"].startswith("No analysis is possible at threshold 60.")
    assert "0 of 120 runs are alive and watched after the first perturbation" in easy["sentence"]
    assert easy["left_out"].keys() == {"shrink_perturb", "partial_reset"}
    assert hard["sentence"].startswith("Nothing to recommend: no run reached 200")
    assert "not possible" in page.id("explore")["text"]


def test_a_perturbation_that_cannot_be_analysed_is_left_out(tmp_path, runs_file):
    from stochreset.cli.html import scan
    from stochreset.cli.reporting import analyse

    study = read_study(runs_file)
    gone = Ensemble(np.full((20, 80), 95.0), np.arange(20), study.unperturbed.metric, "at_least", "gone", 10)
    wide = Study(study.unperturbed, (*study.perturbed, gone))
    chosen = analyse(study, 91, resamples=50)
    (position,) = scan(wide, [90.5], chosen, resamples=50)
    assert position.left_out.keys() == {"gone"} and position.analysis is not None
    assert position.sentence.startswith("Use shrink_perturb") and "gone" in position.sentence


def test_metrics_that_fall(tmp_path):
    runs = write_study(tmp_path / "runs.h5", sign=-1)
    page = Page(write_page_alone(runs, tmp_path, threshold=-91).read_text(encoding="utf-8"))
    assert page.all("h1")[0]["text"].startswith("Use shrink_perturb")
    assert page.id("threshold")["aria-valuetext"] == "test accuracy at most -91"


# The record of a search


def test_search_is_shown_step_by_step(hostile):
    page = Page(hostile)
    search, answers = page.id("search")["text"], page.id("answers")["text"]
    for part in ("pilot", "probe", "refine", "confirm", "full grid", "176,000", "is there a QSS"):
        assert part in search
    assert "26 [23.4 to 28.6]" in answers and "40 [36 to 44]" in answers and "120 + 240" in answers
    assert "undecided" in answers and page.id("pareto")["tag"] == "figure"
    assert "not perturbed" in page.id("pareto")["text"]


def test_no_record_no_section(page):
    assert search_record({}) is None and search_record({"optimize": "x", "config": None}) is None
    assert search_record({"config": {"optimize": SEARCH}}).sentence == SENTENCE
    assert not {"search", "answers"} & {each.get("id") for each in page.elements}
