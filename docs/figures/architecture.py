"""The picture of the packages in CONTRIBUTING.md.

Usage: python architecture.py [FIGURE.svg]
"""

import sys
from pathlib import Path

WIDTH, HEIGHT = 900, 600
COLOURS = {"cli": "#6b4c9a", "stochreset": "#b35c1e", "training": "#1d7a5f", "theory": "#1f5fa8"}

# Package: left, top, width, height, what it needs, and its rooms.
BOXES = {
    "stochreset.cli": (
        *(
            30,
            20,
            840,
            92,
            "cli",
            "typer, rich; the one place that may import everything, and does so lazily",
        ),
        ["commands", "html: the report page"],
    ),
    "stochreset": (
        *(30, 172, 405, 208, "stochreset", "numba: Monte Carlo of toy models"),
        [
            "simulation, streaming, traces",
            "processes",
            "protocols",
            "perturbations",
            "kernels: compiled loops",
        ],
    ),
    "training": (
        *(465, 172, 405, 208, "training", "torch, h5py: real training runs"),
        [
            *("perturber", "perturbations", "protocols", "data", "networks", "optimizers"),
            *("blocks", "study", "optimize", "executors", "config", "runs files, import"),
        ],
    ),
    "theory": (
        *(30, 440, 840, 138, "theory", "numpy, scipy; imports none of the others"),
        [
            *("passages, survival", "relaxation", "response, prediction", "optimum", "plots"),
            *("closed_forms", "numerical", "search: the closed loop", "adaptive", "hdf5"),
        ],
    ),
}
ARROWS = [
    ((232, 112), (232, 172)),
    ((667, 112), (667, 172)),
    ((450, 112), (450, 440)),
    ((232, 380), (232, 440)),
    ((667, 380), (667, 440)),
]


def box(name: str, x: int, y: int, w: int, h: int, colour: str, needs: str, rooms: list[str]) -> list[str]:
    """One package with its rooms, which fill lines from left to right."""
    fill = COLOURS[colour]
    parts = [
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="10" fill="{fill}" fill-opacity="0.08" '
        f'stroke="{fill}" stroke-width="1.6"/>',
        f'<text x="{x + 18}" y="{y + 29}" class="name" fill="{fill}">{name}</text>',
        f'<text x="{x + 34 + 10 * len(name)}" y="{y + 29}" class="needs">{needs}</text>',
    ]
    left, top = x + 16, y + 44
    for room in rooms:
        size = 16 + int(7.1 * len(room))
        if left + size > x + w - 10:
            left, top = x + 16, top + 38
        parts.append(
            f'<rect x="{left}" y="{top}" width="{size}" height="30" rx="6" fill="white" stroke="{fill}" '
            f'stroke-opacity="0.55"/><text x="{left + size / 2}" y="{top + 20}" class="room">{room}</text>'
        )
        left += size + 10
    return parts


def draw() -> str:
    """The picture as SVG, without scripts and fonts of its own."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        'role="img" aria-label="The command line stands on stochreset and training, which both stand on theory">',
        "<style>text{font-family:Helvetica,Arial,sans-serif;font-size:13px;fill:#222}"
        ".name{font-size:18px;font-weight:bold}.needs{fill:#555}.room{text-anchor:middle;font-size:12.5px}</style>",
        '<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L10,5 L0,10 z" fill="#444"/></marker>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="white"/>',
    ]
    for (x1, y1), (x2, y2) in ARROWS:
        parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2 - 2}" stroke="#444" stroke-width="1.8" '
            'marker-end="url(#tip)"/>'
        )
    parts.append('<text x="462" y="150" class="needs">imports</text>')
    for name, (*place, rooms) in BOXES.items():
        parts += box(name, *place, rooms)
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(figure: str = "architecture.svg") -> None:
    """Write the picture."""
    Path(figure).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
