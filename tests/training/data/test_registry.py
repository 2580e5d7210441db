import dataclasses
import pickle
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="data sets are tensors, of the optional extra `training`")

from training.data import DATA_SETS  # noqa: E402

REQUIRED = {"cifar10": {"root": "x"}, "cifar100": {"root": "x"}, "image-folder": {"root": "x"}}


@pytest.mark.parametrize("name", ["digits", "cifar10", "cifar100", "image-folder", "regression"])
def test_each_data_set_is_a_frozen_picklable_dataclass(name):
    settings = DATA_SETS[name](**REQUIRED.get(name, {}))
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert not hasattr(settings, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(settings, dataclasses.fields(settings)[0].name, 1)
    assert callable(settings.load)


def test_nothing_but_torch_is_loaded_before_load():
    code = "import sys, training.data; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded and not loaded & {"sklearn", "torchvision", "PIL", "rich"}
