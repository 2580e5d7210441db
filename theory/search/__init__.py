"""The closed loop: find the best perturbation and period for a fraction of what a grid search costs.

`search` asks an `Environment` for runs: a pilot without perturbation, a few branches off it for each candidate, then
whatever promises most per epoch, and at last fresh runs that confirm the answer. `ReplayEnvironment` deals out
recorded runs, to measure how good a search is; `theory.search.baselines` are the searches to compare with.
"""

from theory.search.answer import Answer, Curve, SearchResult
from theory.search.confirming import Confirmed, speed_up
from theory.search.environment import Candidate, Environment
from theory.search.own_loop import OwnLoop
from theory.search.replay import ReplayEnvironment
from theory.search.search import search
from theory.search.settings import SearchSettings
from theory.search.state import Step

__all__ = [
    "Answer",
    "Candidate",
    "Confirmed",
    "Curve",
    "Environment",
    "OwnLoop",
    "ReplayEnvironment",
    "SearchResult",
    "SearchSettings",
    "Step",
    "search",
    "speed_up",
]
