"""The whole benchmark, in the order it is printed."""

from passages import by_numba, by_numpy, by_stochreset, cpp, machine, memory, peers, startup, table
from passages.timing import measure
from passages.works import WORKS


def main(repeats: int) -> None:
    print(machine.describe())
    print(
        "peers: "
        + ", ".join(f"{peers.PACKAGES[peer]} {peers.version(peer) or '-'}" for peer in peers.PACKAGES)
    )
    print(f"C++: g++ {' '.join(cpp.FLAGS)}")
    print(f"Euler step 1e-3; medians of {repeats} repeats in turns\n\n{table.LEGEND}\n")
    own = [*cpp.METHODS, *by_stochreset.METHODS, *by_numba.METHODS, *by_numpy.METHODS]
    for work in WORKS.values():
        methods = own if work.resets else own + peers.METHODS
        print(table.render(work, measure(work, methods, repeats)), flush=True)
        print()
    print(f"{peers.NOTES}\n")
    print(memory.render(), flush=True)
    print()
    print(startup.render(min(repeats, 3)))
