"""Markdown with mathematics: ``$...$`` and ``$$...$$`` become MathML while the pages are built.

Browsers draw MathML themselves, so that the pages need no script and no network. Docstrings also hold angle brackets
that are no tags, such as ``<T_P>``; they stay what they are.
"""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

TAGS = (
    "a|b|br|code|div|em|i|img|kbd|li|p|pre|small|span|strong|sub|sup|svg|table|td|th|tr|ul|ol|details|summary"
)
APART = re.compile(r"(?<=[,.])\s*\\q?quad\s*")
"""Between formulas side by side."""
BRACKET = '<mo stretchy="false">&#x00028;'
LIMIT = re.compile(rf"<mo[^>]*>(Pr|min|max)</mo>(?={BRACKET})")
"""Written as operators that may carry a limit below; here they are functions of what is in brackets."""
FUNCTION = re.compile(rf"<m[io]>(sin|sinh|cos|cosh|exp|ln|log)</m[io]>({BRACKET}|<mspace|</m)?")
THIN = '<mspace width="0.167em"/>'
TAG = re.compile(r"\\tag\{(\w+)\}")
"""The number of a formula."""


class MathExtension(Extension):
    """Adds the patterns; before all but code."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Register the patterns."""
        md.inlinePatterns.register(_Math(r"\$\$(.+?)\$\$", "block", md), "math-block", 186)
        md.inlinePatterns.register(
            _Math(r"\$(?!\s)([^$]+?)(?<!\s)\$(?!\d)", "inline", md), "math-inline", 185
        )
        md.inlinePatterns.register(_Angle(rf"<(?!/?(?:{TAGS})\b)(?![a-z]+://)", md), "angle", 95)


class _Math(InlineProcessor):
    def __init__(self, pattern: str, display: str, md: Markdown) -> None:
        super().__init__(pattern, md)
        self.compiled_re = re.compile(pattern, re.DOTALL)
        self.display = display

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Any, int, int]:  # type: ignore[override]  # noqa: N802
        """Return MathML in place of TeX."""
        return self.md.htmlStash.store(mathml(m[1], self.display)), m.start(0), m.end(0)


class _Angle(InlineProcessor):
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Any, int, int]:  # type: ignore[override]  # noqa: N802
        """Return the bracket as text."""
        return self.md.htmlStash.store("&lt;"), m.start(0), m.end(0)


def mathml(tex: str, display: str) -> str:
    """MathML of a formula, in which no macro is left; several side by side may break into lines."""
    formula = " ".join(tex.split())
    tag = TAG.search(formula)
    several = APART.split(TAG.sub("", formula)) if display == "block" else [formula]
    found = "".join(_convert(each, display) for each in several)
    if len(several) > 1:
        found = f'<span class="formulas">{found}</span>'
    return f'<span class="numbered">{found}<span>({tag[1]})</span></span>' if tag else found


def _convert(formula: str, display: str) -> str:
    found = convert(formula, display=display)
    # A function's name is no operator that asks for space on both sides.
    found = LIMIT.sub(r"<mi>\1</mi>", found)
    found = FUNCTION.sub(lambda m: f"<mi>{m[1]}</mi>" + (m[2] or THIN), found)
    if left := re.search(r">\\[A-Za-z]+<", found):
        raise ValueError(f"the formula {formula!r} holds {left[0][1:-1]}, which is not understood")
    return found
