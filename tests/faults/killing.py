"""Studies that are killed at random moments, and what that costs."""

import os
import random
import signal
import time

from training.study.plan import plan_units

from .broken_disk import temporaries
from .forking import STUDY, age, ended, logged, no_orphans, start
from .small_study import check_files, gathered, same

SEED = 20250401


class Trials:
    """Studies that are ended at random moments, and what was seen of them."""

    def __init__(self, root, executor, expected):
        self.root, self.executor, self.expected = root, executor, expected
        self.workers = 1 if executor == "in-process" else int(executor.rpartition(":")[2])
        self.logs = not executor.startswith("processes")  # spawned workers know nothing of the log
        began = time.monotonic()
        assert ended(start(root / "timed", executor)) == 0
        self.seconds = time.monotonic() - began
        self.random = random.Random(SEED)
        self.seen = dict.fromkeys(
            ("kills", "units_finished", "units_lost", "most_units_lost", "during_a_write", "not_killed"), 0
        )
        self.seen["orphans_lived"] = 0.0

    def kill(self, folder):
        """Start the study, kill it at a random moment if it has not ended before; say whether it was killed."""
        began = time.monotonic()
        pid = start(folder, self.executor)
        if ended(pid, self.random.uniform(0, self.seconds)) is not None:
            self.seconds = (
                time.monotonic() - began
            )  # the machine has more time for this than when it was measured
            return False
        os.kill(pid, signal.SIGKILL)
        code = ended(pid)
        self.seen["orphans_lived"] = max(self.seen["orphans_lived"], no_orphans(pid))
        return code == -signal.SIGKILL

    def trial(self, number, kills_left):
        """Kill a study once or twice, look at all it left, let it go on, and compare."""
        folder = self.root / f"study-{number}"
        for _ in range(1 + (number % 3 == 0 and kills_left > 1)):
            begun_before = len(logged(folder, "begun"))
            if not self.kill(folder):
                self.seen["not_killed"] += 1
                break
            self.look(folder, begun_before)
        before = set(check_files(STUDY, folder, self.expected))
        age(folder)
        begun = len(logged(folder, "begun"))
        assert ended(start(folder, self.executor)) == 0
        again = logged(folder, "begun")[begun:]
        names = [unit.name for unit in plan_units(STUDY, folder)]
        if self.logs:  # what was finished was not done again, and everything else once
            assert sorted([*before, *again]) == sorted(names), (before, again)
        assert same(gathered(folder), gathered(self.expected))
        assert not temporaries(folder), temporaries(folder)
        assert not list((folder / "claims").glob("*.claim"))
        assert not [unit.name for unit in plan_units(STUDY, folder) if unit.checkpoint.exists()]

    def look(self, folder, begun_before):
        """Count what a kill has cost."""
        finished, done = set(check_files(STUDY, folder, self.expected)), set(logged(folder, "done"))
        assert done <= finished
        lost = [name for name in logged(folder, "begun")[begun_before:] if name not in finished]
        assert len(lost) <= self.workers, lost
        self.seen["kills"] += 1
        self.seen["units_finished"] += len(finished)
        self.seen["units_lost"] += len(lost)
        self.seen["most_units_lost"] = max(self.seen["most_units_lost"], len(lost))
        self.seen["during_a_write"] += folder.exists() and bool(temporaries(folder))


def kill_many(root, count, executor, expected):
    """Kill a study at ``count`` random moments."""
    root.mkdir()
    trials = Trials(root, executor, expected)
    number = 0
    while trials.seen["kills"] < count:
        assert number < 5 * count + 20, trials.seen
        trials.trial(number, count - trials.seen["kills"])
        number += 1
    return trials.seen | {"seconds_of_a_study": trials.seconds}
