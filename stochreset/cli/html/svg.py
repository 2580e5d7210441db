"""Figures of matplotlib as SVG within HTML."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from stochreset.cli.html.markup import Html, element

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (5.2, 3.5)
"""Inches; on a screen the figures are a little smaller than that."""
WIDTH = 40
"""Characters of a line of a title or a label."""
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REFERENCE = re.compile(r"url\(#([^)]*)\)")


def figure(draw: Callable[..., Any], name: str, caption: str, size: tuple[float, float] = SIZE) -> Html:
    """Figure with a caption, which is also what screen readers are told.

    Parameters
    ----------
    draw : callable
        Draws on the axes ``ax``.
    name : str
        Unique in the page; the identifiers within the figure begin with it.
    caption : str
        What is to be seen.
    size : (float, float)
        Inches.
    """
    content = inline_svg(draw, name, caption, size)
    return element("figure", content, element("figcaption", caption), id=name)


def inline_svg(draw: Callable[..., Any], name: str, label: str, size: tuple[float, float] = SIZE) -> Html:
    """SVG without header, name spaces, styles for the whole page or identifiers that another figure could have."""
    root = ElementTree.fromstring(NOT_XML.sub("", _svg_text(draw, name, size)))
    used = _references(root)
    _clean(root, name, used)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"class": "plot", "role": "img", "aria-label": NOT_XML.sub("", label)}
    return Html(ElementTree.tostring(root, encoding="unicode"))


def _svg_text(draw: Callable[..., Any], name: str, size: tuple[float, float]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    # Names are text, not formulas, whatever is in them; letters stay letters, which the browser draws.
    settings: dict[Any, Any] = {"svg.hashsalt": name, "svg.fonttype": "none", "text.parse_math": False}
    settings["font.size"] = 9
    buffer = io.StringIO()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font|constrained_layout not applied")
        canvas = Figure(figsize=size, layout="constrained")
        axes = canvas.subplots()
        draw(ax=axes)
        _tidy(axes)
        canvas.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _tidy(axes: Axes) -> None:
    """Wrap what would be cut off, and keep what lies under a legend from being read as a part of it."""
    for label in (axes.title, axes.xaxis.label):
        label.set(text=textwrap.fill(label.get_text(), WIDTH, break_long_words=False), fontsize="medium")
    legend = axes.get_legend()
    if legend is not None:
        legend.get_frame().set(visible=True, facecolor="white", edgecolor="none", alpha=0.85)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _references(root: ElementTree.Element) -> set[str]:
    found: set[str] = set()
    for each in root.iter():
        for key, value in each.attrib.items():
            found |= set(REFERENCE.findall(value))
            if _local(key) == "href":
                found.add(value.removeprefix("#"))
    return found


def _clean(node: ElementTree.Element, prefix: str, used: set[str]) -> None:
    node.tag = _local(node.tag)
    attributes = {}
    for key, value in node.attrib.items():
        key = _local(key)
        if key == "id":
            if value not in used:
                continue
            value = f"{prefix}-{value}"
        elif key == "href":
            value = f"#{prefix}-{value.removeprefix('#')}"
        attributes[key] = REFERENCE.sub(rf"url(#{prefix}-\1)", value)
    node.attrib.clear()
    node.attrib |= attributes
    node.tail = None
    if node.tag != "text" and not (node.text or "").strip():
        node.text = None
    for child in list(node):
        if _local(child.tag) in ("metadata", "style"):
            node.remove(child)
        else:
            _clean(child, prefix, used)
