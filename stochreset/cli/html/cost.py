"""What the runs cost, ensemble by ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stochreset.cli.html.bars import bar
from stochreset.cli.html.markup import Html, element, section, table
from stochreset.cli.html.record import SearchRecord, number, recorded
from stochreset.cli.html.search import search_share
from theory import Study


def cost_section(study: Study, description: Mapping[str, Any], record: SearchRecord | None) -> Html:
    """Runs and epochs of each ensemble, epochs trained against those of independent runs, and the search.

    Parameters
    ----------
    study : Study
        Runs of one metric.
    description : mapping
        Of the runs file, as `training.describe` gives it.
    record : SearchRecord or None
        Of the search that made the runs.
    """
    costs = ensemble_costs(study, description)
    largest = max(epochs for _, _, epochs in costs)
    rows: list[list[object]] = [
        [name, f"{runs:,d}", f"{epochs:,d}", bar(epochs, largest)] for name, runs, epochs in costs
    ]
    runs, epochs = sum(each[1] for each in costs), sum(each[2] for each in costs)
    rows.append(["all", f"{runs:,d}", f"{epochs:,d}", ""])
    content = [
        table(
            "Runs and recorded epochs of each ensemble",
            ("ensemble", "runs", "epochs", "to scale"),
            rows,
            text=("to scale",),
        ),
        trained_text(description.get("provenance") or {}),
    ]
    if record is not None:
        content.append(search_share(record))
    return section("Cost", *content, name="cost")


def ensemble_costs(study: Study, description: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Name, runs and epochs of each ensemble of the file; a run that ended early counts up to its end."""
    recorded_epochs = {ensemble.name: int(ensemble.lengths.sum()) for ensemble in study}
    return [
        (each["name"], each["runs"], recorded_epochs.get(each["name"], each["runs"] * each["epochs"]))
        for each in description["ensembles"]
    ]


def trained_text(provenance: Mapping[str, Any]) -> Html:
    """Epochs that were trained, where the file tells: runs may share the history before they branch off."""
    trained, independent = (
        number(recorded(provenance, key)) for key in ("epochs_trained", "epochs_independent")
    )
    if trained is None or independent is None or not trained > 0:
        note = (
            "How many epochs were trained is not recorded in this file; what runs share is counted in each."
        )
        return element("p", note, class_="note")
    saved = f"{1 - trained / independent:.0%}".replace("%", " %") if independent > trained else "nothing"
    return element(
        "p",
        f"Trained: {trained:,.0f} epochs; as many independent runs would have taken {independent:,.0f}. ",
        f"Sharing the history before runs branch off saved {saved}.",
    )
