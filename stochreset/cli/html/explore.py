"""The slider over thresholds, and the table of its positions that needs no script."""

from __future__ import annotations

from collections.abc import Sequence

from stochreset.cli import tables
from stochreset.cli.html.data import PREDICTION_COLUMNS, RANKING_COLUMNS, VALIDITY
from stochreset.cli.html.markup import Html, element, section, table
from stochreset.cli.html.scan import RESAMPLES, Position
from theory import Study

LEGEND = (
    '<ul class="legend" aria-label="Legend">'
    '<li><svg width="34" height="14" aria-hidden="true"><rect y="1" width="34" height="12" class="band"/>'
    '<path d="M0 7H34" class="line"/></svg>predicted, valid, with 95 % band</li>'
    '<li><svg width="34" height="14" aria-hidden="true"><rect y="1" width="34" height="12" class="band pale"/>'
    '<path d="M0 7H34" class="line dashed"/></svg>extrapolated</li>'
    '<li><svg width="34" height="14" aria-hidden="true"><path d="M0 7H34" class="line dotted"/></svg>'
    "out of range</li>"
    '<li><svg width="34" height="14" aria-hidden="true"><path d="M17 0V14" class="error"/>'
    '<circle cx="17" cy="7" r="4" class="dot"/></svg>measured, 95 % interval</li>'
    '<li><svg width="34" height="14" aria-hidden="true"><path d="M17 2L22 11H12Z" class="dot open"/></svg>'
    "measured, lower bound</li>"
    '<li><svg width="34" height="14" aria-hidden="true"><path d="M17 1L23 7L17 13L11 7Z" class="best"/></svg>'
    "best period</li>"
    '<li><svg width="34" height="14" aria-hidden="true"><path d="M17 0V14" class="marker"/></svg>'
    "period predicted from</li></ul>"
)


def explore_section(study: Study, positions: Sequence[Position], chosen: float) -> Html:
    """Slider, curves, sentence and ranking; hidden until the script runs. Without it, the table of all positions."""
    index = [position.threshold for position in positions].index(chosen)
    few = (
        "" if len(positions) < 2 else f" At other thresholds than {chosen:g}, {RESAMPLES} resamples at most."
    )
    without = f"The slider needs JavaScript. The figures above are for threshold {chosen:g}; the table has the others."
    return section(
        "Other thresholds",
        element("noscript", element("p", without)),
        _live(study, positions, index),
        table(
            "The best perturbation at each threshold",
            ("threshold", "perturbation", "period", "mean (epochs)", "speed-up", "validity", "answer"),
            [_row(position) for position in positions],
            text=("perturbation", "validity", "answer"),
        ),
        element("p", f"Intervals are 95 % bootstrap intervals over runs.{few}", class_="note"),
        name="explore",
    )


def _live(study: Study, positions: Sequence[Position], index: int) -> Html:
    position, metric = positions[index], study.unperturbed.metric.replace("_", " ")
    sign = study.unperturbed.direction.replace("_", " ")
    slider = element(
        "input",
        type="range",
        id="threshold",
        min=0,
        max=len(positions) - 1,
        step=1,
        value=index,
        autocomplete="off",
        aria_valuetext=f"{metric} {sign} {position.threshold:g}",
        aria_describedby="threshold-help",
    )
    return element(
        "div",
        element(
            "div",
            element("label", f"Threshold: {metric} {sign} ", for_="threshold"),
            element(
                "output", f"{position.threshold:g}", id="threshold-value", for_="threshold", aria_live="off"
            ),
            slider,
            element("div", *_ends(positions), class_="ends", aria_hidden="true"),
            element("p", "Move it with the arrow keys or the mouse.", id="threshold-help", class_="note"),
            class_="control",
        ),
        element("p", position.sentence, id="sentence", aria_live="polite"),
        element("div", id="panels", class_="panels"),
        Html(LEGEND),
        table("Ranking", RANKING_COLUMNS, [], text=("validity", "confirmed"), name="live-ranking"),
        element(
            "details",
            element("summary", "The curves as tables"),
            *(
                table(name, PREDICTION_COLUMNS, [], text=("validity", "why"), name=f"live-points{n}")
                for n, name in enumerate(study.perturbations)
            ),
        ),
        id="live",
        hidden=True,
    )


def _ends(positions: Sequence[Position]) -> list[Html]:
    return [element("span", f"{positions[n].threshold:g}") for n in (0, -1)]


def _row(position: Position) -> list[object]:
    if position.analysis is None:
        return [f"{position.threshold:g}", "—", "—", "—", "—", "not possible", position.sentence]
    best = position.analysis.ranking.optima[0]
    speedup = best.speedup
    return [
        f"{position.threshold:g}",
        best.perturbation,
        str(best.prediction.period),
        f"{tables.number(best.prediction.mean)} [{tables.interval(best.prediction.low, best.prediction.high)}]",
        f"{tables.number(speedup.value, 3)} [{tables.number(speedup.low, 3)} – {tables.number(speedup.high, 3)}]",
        VALIDITY[best.prediction.status],
        _short(position),
    ]


def _short(position: Position) -> str:
    """Sentence without what the other columns tell."""
    sentence = "Perturb" if position.sentence.startswith("Use ") else position.sentence.partition(":")[0]
    left_out = "; ".join(f"{name} left out: {reason}" for name, reason in position.left_out.items())
    return f"{sentence}; {left_out}" if left_out else sentence
