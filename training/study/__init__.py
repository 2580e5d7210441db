"""Training studies: units of work that can be lost and done again, gathered into one runs file.

`TrainingStudy` says what to train, `run_study` trains what is missing in a folder and gathers it.
"""

from training.study.settings import TrainingStudy
from training.study.study import StudyReport, run_study
from training.study.work import StudyError
from training.treatment import Treatment

__all__ = ["StudyError", "StudyReport", "Treatment", "TrainingStudy", "run_study"]
