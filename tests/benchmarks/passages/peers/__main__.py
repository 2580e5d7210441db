"""Run one peer once, warm, and print what came out: python -m passages.peers PEER WORK RUNS SEED."""

import dataclasses
import json
import sys
from importlib import import_module
from time import perf_counter

from passages.works import WORKS


def main(peer: str, work: str, runs: str, seed: str) -> None:
    # Imported by name: only the peer that runs needs to be there.
    module = import_module(f"passages.peers.{peer}")
    module.draw(WORKS[work], 20, 1)
    start = perf_counter()
    draw = module.draw(WORKS[work], int(runs), int(seed))
    seconds = perf_counter() - start
    print(json.dumps(dataclasses.asdict(dataclasses.replace(draw, seconds=draw.seconds or seconds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
