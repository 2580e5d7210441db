"""Rows of results for people, in as much width as there is: nothing that they hold is ever cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table
    from rich.text import Text

TEXTS = ("model", "status", "perturbation", "confirmed")
"""Columns of words; the others are numbers."""
WIDEST = 10_000
"""Width, in characters, in which any table has all the room that it wants."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table for `rich`, with lines between the columns, or closer, or else one paragraph for each row.

    Attributes
    ----------
    title : str
        What is above it.
    columns : sequence of str
        Headers; the first names the rows.
    rows : sequence of sequences of str
        Cells. They are shown as they are: what looks like markup is none.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table | Text]:
        """Yield the first form that fits."""
        for table in (self._wide(), self._close()):
            if table.__rich_measure__(console, options.update_width(WIDEST)).maximum <= options.max_width:
                yield table
                return
        yield from self._paragraphs()

    def _wide(self) -> Table:
        from rich.table import Table

        return self._filled(Table(header_style="bold"), self.rows)

    def _close(self) -> Table:
        """Without lines between the columns, and with intervals on two lines."""
        from rich import box
        from rich.table import Table

        broken = [[cell.replace(" – ", " –\n") for cell in row] for row in self.rows]
        table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        return self._filled(table, broken)

    def _filled(self, table: Table, rows: Sequence[Sequence[str]]) -> Table:
        from rich.text import Text

        table.title, table.title_justify = Text(self.title, "table.title"), "left"
        for column in self.columns:
            table.add_column(
                Text(column), justify="left" if column in TEXTS else "right", no_wrap=True, overflow="fold"
            )
        for row in rows:
            table.add_row(*map(Text, row))
        return table

    def _paragraphs(self) -> Iterator[Text]:
        from rich.text import Text

        yield Text(self.title, "table.title")
        wide = max(map(len, self.columns))
        for row in self.rows:
            yield Text(f"\n{self.columns[0]} {row[0]}", "bold", overflow="fold")
            for column, cell in zip(self.columns[1:], row[1:], strict=True):
                if cell:
                    yield Text(f"  {column.ljust(wide)}  {cell}", overflow="fold")
