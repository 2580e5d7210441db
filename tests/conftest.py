import signal
import tarfile
from pathlib import Path

import pytest

ARCHIVE = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "published-traces.tar.xz"


# A shell starts what runs in the background with Ctrl-C ignored: the tests that press it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def published_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs file of the published traces; the unpacked folder lies beside it as ``published``."""
    if not ARCHIVE.is_file():
        pytest.skip("the published traces are not at ../shared/data/published-traces.tar.xz")
    # Here, so that the tests of pure theory do not load h5py.
    from training import import_published

    folder = tmp_path_factory.mktemp("published_runs")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder / "published", filter="data")
    return import_published(folder / "published", folder / "published.h5").path
