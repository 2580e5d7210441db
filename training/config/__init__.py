"""Training studies from a TOML file.

`load_study` reads the file into a `training.study.settings.TrainingStudy`, or raises one `ConfigError` that lists
all that is wrong, with line numbers; `load_optimization` reads the same file with a table [optimize]. Nothing in a
file is run: kinds are looked up in the registries (`DATA_SETS`, `NETWORKS`, `OPTIMIZERS`, `SCHEDULES`, `KINDS`,
`PRESETS`), and what is registered there is known here. `example` returns a file to start from. Ways in: `load` and
`optimize` for the file as a whole, `perturbations` for what is done to runs and when, `table` for how a table becomes
a dataclass, `lines` for where a key stands.
"""

from training.config.errors import ConfigError
from training.config.example import example
from training.config.load import load_study
from training.config.optimize import load_optimization

__all__ = ["ConfigError", "example", "load_optimization", "load_study"]
