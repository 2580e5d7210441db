"""HTML from Python: whatever is not marked as HTML is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

VOID = ("meta", "link", "input", "br")


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def safe(value: object) -> Html:
    """Escape text; leave HTML as it is.

    Examples
    --------
    >>> safe("a < b"), safe(Html("<b>"))
    ('a &lt; b', '<b>')
    """
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def join(parts: Iterable[object], between: str = "\n") -> Html:
    """Join escaped parts."""
    return Html(between.join(safe(part) for part in parts))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """Element with escaped children and attributes.

    A trailing underscore of an attribute is dropped, others become hyphens; None leaves it out, True gives
    it no value.

    Examples
    --------
    >>> element("p", "1 < 2", class_="note", aria_label='"')
    '<p class="note" aria-label="&quot;">1 &lt; 2</p>'
    """
    opening = tag
    for name, value in attributes.items():
        if value is None:
            continue
        key = name.rstrip("_").replace("_", "-")
        opening += f" {key}" if value is True else f' {key}="{safe(value)}"'
    if tag in VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{join(children, '')}</{tag}>")


def section(title: str, *children: object, name: str, level: int = 2) -> Html:
    """Section with a heading that names it."""
    heading = element(f"h{level}", title, id=f"{name}-title")
    return element("section", heading, *children, id=name, aria_labelledby=f"{name}-title")


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    text: Collection[str] = (),
    name: str | None = None,
) -> Html:
    """Table in a box that scrolls by itself where it is too wide.

    Parameters
    ----------
    caption : str
        Above the table.
    columns : sequence of str
        Headings; the first column heads the rows.
    rows : iterable of sequences
        Cells, escaped unless they are HTML.
    text : collection of str
        Columns that hold text and are set to the left, besides the first.
    name : str, optional
        Id of the table.
    """
    kinds = ["text" if n == 0 or column in text else "number" for n, column in enumerate(columns)]
    heads = [element("th", c, scope="col", class_=kind) for c, kind in zip(columns, kinds, strict=True)]
    body = []
    for row in rows:
        first, *others = row
        cells = [element("th", first, scope="row", class_="text")]
        cells += [element("td", cell, class_=kind) for cell, kind in zip(others, kinds[1:], strict=True)]
        body.append(element("tr", *cells))
    content = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
        id=name,
    )
    return element("div", content, class_="scroll", tabindex="0", role="group", aria_label=caption)


def embedded_json(document: Any) -> Html:
    r"""JSON that no text in it can end early: ``<``, ``>`` and ``&`` become escapes of JSON itself.

    Examples
    --------
    >>> print(embedded_json({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    text = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(text)
