import pytest

HEAD = """\
epochs = 160
seeds = 4
"""
TABLES = """
[data]
kind = "digits"

[network]
kind = "mlp"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, with a home folder in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def load(folder):
    """Loads a text as study.toml."""
    from training.config import load_study

    def load_text(text):
        (folder / "study.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_study("study.toml")

    return load_text


@pytest.fixture
def load_with(load):
    """Loads a small study with more keys at the top (from line 3 on) and more tables at the end (from line 9)."""
    return lambda top="", tables="": load(HEAD + top + TABLES + tables)


@pytest.fixture
def problems(load):
    """The complaints about a text, in the order of its lines."""
    from training.config import ConfigError

    def complain(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        assert str(caught.value) == "\n".join(caught.value.problems)
        return list(caught.value.problems)

    return complain


@pytest.fixture
def problems_with(problems):
    """The complaints about a small study with more keys or tables, as `load_with` has them."""
    return lambda top="", tables="": problems(HEAD + top + TABLES + tables)
