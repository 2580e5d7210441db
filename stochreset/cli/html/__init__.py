"""The report as one HTML file: the answer, its evidence, what it cost, and a slider over thresholds.

The file needs nothing but itself: styles, script, data and figures are within it, and its content security
policy forbids every request. `page` puts it together from the sections in `evidence`, `cost`, `search`,
`explore` and `settings`; `scan` analyses the thresholds of the slider; `data` holds what the script draws.
"""

from __future__ import annotations

from stochreset.cli.html.page import Source, html_report
from stochreset.cli.html.scan import Position, scan
from stochreset.cli.html.thresholds import default_thresholds, parse_thresholds

__all__ = ["Position", "Source", "default_thresholds", "html_report", "parse_thresholds", "scan"]
