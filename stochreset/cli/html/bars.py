"""Numbers beside bars."""

from __future__ import annotations

from collections.abc import Mapping

from stochreset.cli.html.markup import Html, element, table


def bar(value: float, largest: float) -> Html:
    """Bar whose length tells ``value``; it only repeats the number beside it."""
    width = 100 * value / largest if largest > 0 else 0.0
    inner = element("span", class_="bar", style=f"width:{min(100.0, max(0.0, width)):.2f}%")
    return element("span", inner, class_="track", aria_hidden="true")


def bars_table(caption: str, heading: str, epochs: Mapping[str, float]) -> Html:
    """Table of epochs with a bar for each."""
    largest = max(epochs.values())
    rows = [[name, f"{value:,.0f}", bar(value, largest)] for name, value in epochs.items()]
    return table(caption, (heading, "epochs", "to scale"), rows, text=("to scale",))
