"""Tables for people: nothing is cut, whatever the width and whatever the names hold."""

import io
import re

import pytest
from rich.console import Console

from stochreset.cli.rows import Rows
from stochreset.cli.tables import predictions_table
from theory import Prediction

COLUMNS = ("perturbation", "period", "95 % interval", "status", "confirmed")
ROWS = (
    ("shrink[lam=0.4]", "20", "1.15e+04 – 1.45e+04", "extrapolated", "yes"),
    ("a[/b]:smile:[bold]" + "_and_much_more" * 2, "1", "—", "valid", "no"),
)


def shown(rows, width, **settings):
    file = io.StringIO()
    Console(file=file, width=width, highlight=False, **settings).print(rows)
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return lines


@pytest.mark.parametrize("width", [150, 110, 80, 60, 40, 20])
def test_every_cell_is_whole(width):
    lines = shown(Rows("Best of [all], :smile:", COLUMNS, ROWS), width)
    text = re.sub(r"\s", "", "".join(lines))  # long names are folded
    assert "…" not in text and "Bestof[all],:smile:" in text
    for row in ROWS:
        for cell in row:
            for part in cell.split(" – "):
                assert part in text
    assert ("┏" in text) == (width >= 110)


def test_predictions_in_eighty_columns():
    predictions = [
        Prediction(period, 12345.6, 123.4, 11111.1, 13333.3, "constant", status, "why")
        for period, status in ((5, "extrapolated"), (20, "valid"), (1000, "out_of_range"))
    ]
    lines = shown(predictions_table("shrink[lam=0.4], threshold 91", predictions, ()), 80)
    assert lines[0].startswith("shrink[lam=0.4], threshold 91")
    assert len(lines) == 3 + 2 * 3  # title, header and rule; each interval on two lines
    for period, status in ((5, "extrapolated"), (1000, "out_of_range")):
        assert any(re.search(rf"^ *{period}  1.235e\+04 +1.111e\+04 –  constant  {status}", x) for x in lines)


def test_narrow_terminals_get_a_paragraph_for_each_row():
    lines = shown(Rows("Title", COLUMNS, ROWS[:1]), 40)
    assert lines == [
        "Title",
        "",
        "perturbation shrink[lam=0.4]",
        "  period         20",
        "  95 % interval  1.15e+04 – 1.45e+04",
        "  status         extrapolated",
        "  confirmed      yes",
    ]
