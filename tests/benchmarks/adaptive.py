"""The adaptive policy against the best fixed period, gains and losses. Usage: python adaptive.py [QUICK]

Toy models with exact fixed periods, replays of the published traces (where ../shared/data/published-traces.tar.xz lies
beside the project), and 200 networks on the digits; about 30 minutes on one core, with any argument 2 minutes at
small sizes. Ratios below 1 are gains. The parts lie in adaptive/.
"""

import sys


def main(quick: str = "") -> None:
    """Print the tables."""
    # `adaptive` is the folder beside this file: a package comes before a module of the same name.
    from adaptive import digits, published, toys

    if quick:
        toys.main(300, ("goal",))
        published.main(3, (72.0,))
        digits.main(20, 30, (25,))
        return
    toys.main()
    published.main()
    digits.main()


if __name__ == "__main__":
    main(*sys.argv[1:2])
