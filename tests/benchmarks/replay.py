"""How good `theory.search` is, and what it costs beside other searches. Usage: python replay.py [REPLAYS] [WHAT]

WHAT is published (replays of the recorded runs of ../shared/data/published-traces.tar.xz), toys (models whose optima
are known exactly) or all. About an hour on two cores for 200 replays of everything; the default of 8 takes minutes
and shows no more than that all works. The parts lie in replay/.
"""

import sys


def main(replays: str = "8", what: str = "all") -> None:
    """Print the tables."""
    if what not in ("published", "toys", "all"):
        sys.exit(f"WHAT must be published, toys or all, got {what!r}")
    # `replay` is the folder beside this file: a package comes before a module of the same name.
    from replay.report import main as report

    report(int(replays), what)


if __name__ == "__main__":
    main(*sys.argv[1:3])
