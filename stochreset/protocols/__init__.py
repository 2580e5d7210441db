"""When a perturbation comes: never, once, periodically, at random intervals, or only if a condition holds."""

from stochreset.protocols.base import Protocol
from stochreset.protocols.gamma import Gamma
from stochreset.protocols.informed import Informed
from stochreset.protocols.never import Never
from stochreset.protocols.once import Once
from stochreset.protocols.periodic import Periodic
from stochreset.protocols.poisson import Poisson
from stochreset.protocols.renewal import Renewal
from stochreset.protocols.uniform import Uniform

__all__ = ["Gamma", "Informed", "Never", "Once", "Periodic", "Poisson", "Protocol", "Renewal", "Uniform"]
