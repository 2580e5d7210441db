"""Speed and accuracy beside C++, plain Python and PyPI's peers. Usage: python passages.py [REPEATS]

About ten minutes at 5 repeats. To include the peers, install them (pip install ssm-simulators diffusionx
pyddm) here or in an interpreter named by STOCHRESET_PEERS_PYTHON. The parts lie in passages/.
"""

import sys


def main(repeats: int = 5) -> None:
    """Print the tables."""
    # `passages` is the folder beside this file: a package comes before a module of the same name.
    from passages.report import main as report

    report(repeats)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
