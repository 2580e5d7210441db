"""How the file of a study is read: files that are not TOML or not readable, and no data set is loaded."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="studies train with torch, of the optional extra `training`")

from training.config import ConfigError, load_study  # noqa: E402

SYNTAX = [
    ("epochs = 3\nseeds = \n", "study.toml, line 2, column 9: is not TOML: Invalid value"),
    ("epochs = 3\r\nseeds = \r\n", "study.toml, line 2, column 9: is not TOML: Invalid value"),
    ("epochs = 3\nepochs = 4\n", "study.toml, line 2, column 11: is not TOML: Cannot overwrite a value"),
    ('epochs = 3\n\na = "', "study.toml, line 3: is not TOML: Unterminated string (at end of document)"),
    ("a = [1,\n2,", "study.toml, line 2"),
    ("a = " + "9" * 5000, "study.toml: is not TOML: Exceeds the limit"),
    ("a = " + "[" * 20_000 + "]" * 20_000, "study.toml: is nested too deeply"),
    ("a\x1b[31m = 1", "study.toml, line 1, column 2: is not TOML"),
    (b"epochs = 3\n# caf\xe9\n", "study.toml, line 2: is not UTF-8 at byte 0xe9; save the file as UTF-8"),
    ("epochs = 3\n".encode("utf-16"), "study.toml, line 1: is not UTF-8 at byte 0xff"),
    (b"#" * 1_000_001, "study.toml: is larger than 1 MB, which no study needs"),
]


@pytest.mark.parametrize(("text", "message"), SYNTAX, ids=range(len(SYNTAX)))
def test_syntax(problems, text, message):
    [problem] = problems(text)
    assert message in problem


def test_a_file_of_a_megabyte_is_read(problems):
    assert len(problems(b"#" * 1_000_000)) == 4


def test_no_file(folder):
    with pytest.raises(ConfigError, match=r"^nowhere\.toml: there is no such file$"):
        load_study("nowhere.toml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load_study(folder)
    with pytest.raises(ConfigError, match=r"^a\\x00b: cannot be read: embedded null byte$"):
        load_study("a\0b")


def test_an_unreadable_file(folder):
    (folder / "secret.toml").touch(mode=0)
    if os.access("secret.toml", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load_study("secret.toml")


def test_no_data_set_is_loaded(tmp_path):
    code = (
        "import sys; from training.config import load_study; load_study(sys.argv[1]);"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    text = (
        'epochs = 9\nseeds = 1\n[data]\nkind = "image-folder"\nroot = "x"\n[network]\nkind = "resnet18"\n'
        '[[perturbation]]\nkind = "warm_restart"\nonce = 3\n'
    )
    path = tmp_path / "study.toml"
    path.write_text(text)
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {
        "sklearn",
        "torchvision",
        "PIL",
        "pydantic",
        "submitit",
        "distributed",
    }
