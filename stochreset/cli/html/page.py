"""The page: all sections, styles, script and data in one file that asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from stochreset.cli.html.cost import cost_section
from stochreset.cli.html.data import page_data
from stochreset.cli.html.evidence import evidence_section
from stochreset.cli.html.explore import explore_section
from stochreset.cli.html.markup import Html, element, embedded_json, join
from stochreset.cli.html.record import SearchRecord, search_record
from stochreset.cli.html.scan import Position
from stochreset.cli.html.search import answers_section, steps_section
from stochreset.cli.html.settings import settings_section
from stochreset.cli.reporting import Analysis, headline


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the numbers of a report come from.

    Attributes
    ----------
    name, digest : str
        Of the runs file; the digest is its SHA-256.
    description : mapping
        As `training.describe` gives it.
    options : mapping
        Options of the report, as on the command line.
    """

    name: str
    digest: str
    description: Mapping[str, Any]
    options: Mapping[str, Any]


def html_report(analysis: Analysis, positions: Sequence[Position], source: Source) -> bytes:
    """Return the report as one HTML file; the same input gives the same bytes.

    Parameters
    ----------
    analysis : Analysis
        At the threshold asked for.
    positions : sequence of Position
        Of the slider, ascending, that threshold among them.
    source : Source
        Of the runs.
    """
    record = search_record(source.description.get("provenance") or {})
    threshold = analysis.ranking.threshold
    data = page_data(analysis.study, positions, threshold)
    script = resource("report.js")
    body = join(
        [
            element(
                "main", _header(analysis, source, record), *_sections(analysis, positions, source, record)
            ),
            element("script", embedded_json(data), type="application/json", id="data"),
            element("script", Html(script)),
        ]
    )
    metric = analysis.study.unperturbed.metric.replace("_", " ")
    head = _head(f"{metric}, threshold {threshold:g}: report of {source.name}", policy(script))
    page = f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{element("body", Html(body))}\n</html>\n'
    return page.encode("utf-8", errors="replace")


def policy(script: str) -> str:
    """Content security policy that runs ``script`` alone and lets nothing be fetched."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def resource(name: str) -> str:
    """Text of a file that comes with this package."""
    return resources.files("stochreset.cli.html").joinpath(name).read_text(encoding="utf-8")


def _head(title: str, security: str) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{security}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", Html(resource("report.css"))),
    )


def _header(analysis: Analysis, source: Source, record: SearchRecord | None) -> Html:
    free, ranking = analysis.study.unperturbed, analysis.ranking
    found = headline(analysis)
    first = record.sentence if record is not None and record.sentence else found
    if first == found:
        also = ""
    elif record is not None:
        also = f"The runs of the search alone, without those that confirm, at {ranking.threshold:g}: {found}"
    else:
        also = f"From all runs in this file, at threshold {ranking.threshold:g}: {found}"
    about = (
        f"{source.name}: {free.metric.replace('_', ' ')} {free.direction.replace('_', ' ')} "
        f"{ranking.threshold:g}; {len(free)} unperturbed runs of {free.horizon} epochs, "
        f"{len(analysis.study.perturbed)} perturbed ensembles."
    )
    return element(
        "header",
        element("h1", first),
        element("p", also) if also else "",
        element("p", about, class_="note"),
        _contents(record),
    )


def _contents(record: SearchRecord | None) -> Html:
    links = {"evidence": "Evidence", "cost": "Cost", "explore": "Other thresholds", "settings": "Settings"}
    if record is not None:
        searched = {"answers": len(record.answers) > 1, "search": bool(record.steps or record.cost)}
        titles = {"answers": "All thresholds", "search": "Search, step by step"}
        links = {name: titles[name] for name, there in searched.items() if there} | links
    items = [element("li", element("a", title, href=f"#{name}")) for name, title in links.items()]
    return element("nav", element("ul", *items), aria_label="Contents")


def _sections(
    analysis: Analysis, positions: Sequence[Position], source: Source, record: SearchRecord | None
) -> list[Html]:
    study, threshold = analysis.study, analysis.ranking.threshold
    searched = [answers_section(record, study.unperturbed.metric), steps_section(record)] if record else []
    return [
        *searched,
        evidence_section(analysis),
        cost_section(study, source.description, record),
        explore_section(study, positions, threshold),
        settings_section(source.description, source.name, source.digest, source.options),
    ]
