"""The models that the command line knows by name. Adding one is one entry in `MODELS`.

An entry names the class of a process, which is imported only when used, and says in words what the class
cannot: what the model is, the units of its parameters, and which exact answers are known. The parameters and
their defaults are the fields of the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from importlib import import_module
from typing import Any

LENGTH, TIME, NUMBER = "length", "time", "none"
RATE, SPEED, DIFFUSION = "1/time", "length/time", "length^2/time"
METRIC, EPOCHS = "metric", "epochs"

RESETS = "no perturbation, full resets"
NUMERICAL = "partial resets, shrink and perturb and kicks numerically"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a model; ``kind`` is its annotation, ``unit`` is in words."""

    name: str
    kind: str
    default: Any
    unit: str


@dataclass(frozen=True, slots=True)
class Model:
    """A process under a name.

    Attributes
    ----------
    name : str
        On the command line.
    home : str
        Module and class, as ``module:Class``.
    summary : str
        One line.
    units : mapping
        Unit of each parameter, in words.
    known : str
        Exact means, in words.
    example : mapping
        Values of parameters for which the class has no default.
    part : (str, str), optional
        Field of the class that is an object with parameters of its own, and ``module:Class`` of that.
    """

    name: str
    home: str
    summary: str
    units: Mapping[str, str]
    known: str
    example: Mapping[str, Any] = field(default_factory=dict)
    part: tuple[str, str] | None = None

    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters in the order of the class."""
        return tuple(
            Parameter(each.name, str(each.type), self._default(each), self.units[each.name])
            for kind in self._classes()
            for each in fields(kind)
            if each.name in self.units
        )

    def build(self, values: Mapping[str, Any] | None = None) -> Any:
        """Make the process with these parameters and the defaults of the others.

        Examples
        --------
        >>> MODELS["brownian"].build({"target": 2.0}).target
        2.0
        """
        given = {**self.example, **(values or {})}
        *parts, whole = self._classes()
        for kind in parts:
            assert self.part is not None
            inner = {each.name: given.pop(each.name) for each in fields(kind) if each.name in given}
            given[self.part[0]] = kind(**inner)
        return whole(**given)

    def values(self, process: Any) -> dict[str, Any]:
        """Return the parameters of a process of this model by name."""
        inner = None if self.part is None else getattr(process, self.part[0])
        return {
            each.name: getattr(process if hasattr(process, each.name) else inner, each.name)
            for each in self.parameters()
        }

    def _classes(self) -> list[Any]:
        homes = [self.home] if self.part is None else [self.part[1], self.home]
        return [getattr(import_module(module), name) for module, _, name in (h.partition(":") for h in homes)]

    def _default(self, each: Any) -> Any:
        if each.name in self.example:
            return self.example[each.name]
        return each.default if each.default_factory is MISSING else each.default_factory()


_HOME = "stochreset.processes"
_ENTRIES = (
    Model(
        "brownian",
        f"{_HOME}.brownian:Brownian",
        "diffusion with constant drift to a target",
        {"drift": SPEED, "diffusion": DIFFUSION, "start": LENGTH, "target": LENGTH},
        f"{RESETS}; {NUMERICAL}",
    ),
    Model(
        "interval",
        f"{_HOME}.interval:Interval",
        "diffusion between a reflecting wall and a target",
        {"diffusion": DIFFUSION, "start": LENGTH, "target": LENGTH, "wall": LENGTH},
        f"{RESETS}; {NUMERICAL} where they stay within the wall",
    ),
    Model(
        "ornstein-uhlenbeck",
        f"{_HOME}.ornstein_uhlenbeck:OrnsteinUhlenbeck",
        "diffusion in a harmonic potential to a target",
        {"theta": RATE, "centre": LENGTH, "diffusion": DIFFUSION, "start": LENGTH, "target": LENGTH},
        f"{RESETS}; {NUMERICAL}",
    ),
    Model(
        "double-well",
        f"{_HOME}.double_well:DoubleWell",
        "escape over the barrier of a double well",
        {"barrier": DIFFUSION, "diffusion": DIFFUSION, "start": LENGTH, "target": LENGTH},
        f"{RESETS}, {NUMERICAL}",
    ),
    Model(
        "linear-logarithmic",
        f"{_HOME}.linear_logarithmic:LinearLogarithmic",
        "diffusion to 0 in a linear potential that a perturbation switches to a logarithmic one",
        {"slope": SPEED, "strength": DIFFUSION, "diffusion": DIFFUSION, "start": LENGTH},
        "no perturbation, the switch, full resets",
    ),
    Model(
        "lattice",
        f"{_HOME}.lattice_walk:LatticeWalk",
        "random walk on the whole numbers, a step to either side each unit of time",
        {"right": NUMBER, "start": "sites", "target": "sites"},
        RESETS,
    ),
    Model(
        "markov",
        f"{_HOME}.markov_chain:MarkovChain",
        "jumps between states at constant rates until a target state",
        {"rates": RATE, "start": NUMBER, "targets": NUMBER},
        f"{RESETS} to any state, numerically",
        {"rates": [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "start": 0, "targets": 2},
    ),
    Model(
        "run-and-tumble",
        f"{_HOME}.run_and_tumble:RunAndTumble",
        "runs at constant speed between random reversals",
        {"speed": SPEED, "tumble_rate": RATE, "start": LENGTH, "target": LENGTH},
        RESETS,
    ),
    Model(
        "levy",
        f"{_HOME}.levy_flight:LevyFlight",
        "walk with a jump of a stable law each unit of time, to a target or beyond",
        {"alpha": NUMBER, "scale": LENGTH, "start": LENGTH, "target": LENGTH},
        "none",
    ),
    Model(
        "ctrw",
        f"{_HOME}.ctrw:CTRW",
        "hops to either side after waiting times of a power law",
        {"exponent": NUMBER, "time_unit": TIME, "step": LENGTH, "start": LENGTH, "target": LENGTH},
        "full resets at a Poisson rate",
    ),
    Model(
        "sphere",
        f"{_HOME}.sphere:Sphere",
        "diffusion in any number of dimensions from one radius to another",
        {"dimension": NUMBER, "diffusion": DIFFUSION, "start": LENGTH, "target": LENGTH},
        RESETS,
    ),
    Model(
        "plateaus",
        f"{_HOME}.plateaus:Plateaus",
        "training runs that settle on plateaus of their own, epoch by epoch up to a threshold",
        {
            **dict.fromkeys(("plateau_mean", "plateau_spread", "noise", "depth"), METRIC),
            "relaxation_time": EPOCHS,
            "depth_after": METRIC,
            "relaxation_time_after": EPOCHS,
            "memory": NUMBER,
            "gain": METRIC,
            "target": METRIC,
        },
        "no perturbation, new cycles each period",
        {
            **{"plateau_mean": 71.9, "plateau_spread": 0.5, "noise": 0.15, "depth": 30.0},
            **{"relaxation_time": 3.0, "target": 72.0},
        },
        ("model", "stochreset.plateaus:PlateauMixture"),
    ),
)
MODELS = {model.name: model for model in _ENTRIES}


def find_model(name: str) -> Model:
    """Return the model of this name; an error lists the known ones, the nearest first."""
    if name in MODELS:
        return MODELS[name]
    near = get_close_matches(name.lower().replace("_", "-"), MODELS, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"`MODEL` {name!r} is not known; {hint}The models are: {', '.join(MODELS)}")
