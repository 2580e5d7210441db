import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn, of the optional extra `training`")

from theory.search import Candidate, SearchSettings  # noqa: E402
from training.data import Digits  # noqa: E402
from training.networks import MLP  # noqa: E402
from training.optimize import Optimization  # noqa: E402
from training.optimizers import SGD  # noqa: E402
from training.perturbations import ShrinkPerturb, StochasticReset  # noqa: E402
from training.study.settings import TrainingStudy  # noqa: E402
from training.task import Hardware, Task  # noqa: E402

TASK = Task(Digits(60), MLP((8,)), SGD(0.1), batch_size=10, hardware=Hardware(device="cpu"))


@pytest.fixture(scope="session")
def small():
    """A search on tiny networks that takes seconds."""

    def make(**changes):
        settings = {"thresholds": (70.0,), "budget": 1500, "batch": 3, **changes}
        study = TrainingStudy(TASK, epochs=40, seeds=(0,), block_size=4, metric="test_accuracy")
        candidates = {Candidate("shrink"): ShrinkPerturb(0.5, 0.1), Candidate("reset"): StochasticReset()}
        return Optimization(study, candidates, SearchSettings(**settings), (2, 5, 10, 20))

    return make
