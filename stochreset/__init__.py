"""Monte Carlo of first passage under resetting on toy models.

Each toy model is a frozen dataclass in a file of its own. It simulates itself, with ``simulate`` and
``sample_passages``, into the `theory.Ensemble` and `theory.PassageSample` that real training runs give, and
it knows its exact answers (``survival``, ``mfpt``, ``restricted_mean``), so that every estimator and
prediction in `theory` can be checked against it. `PlateauMixture` is the toy of real training runs: each run
settles on a plateau of its own. Names load when first used, which keeps ``import stochreset`` fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stochreset.plateaus import PlateauMixture

__all__ = ["PlateauMixture"]

_HOMES = {"PlateauMixture": "stochreset.plateaus"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
