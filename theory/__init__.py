"""Theory of first passage under perturbation: from raw traces to the recommended period."""

from theory.ensembles import Ensemble, Study
from theory.passages import PassageSample, first_passage

__all__ = ["Ensemble", "PassageSample", "Study", "first_passage"]
