"""What several tests of datasets need."""

import pytest

from tallow.testing.datasets import publishing, serving


@pytest.fixture
def publish():
    """Publishes archives {name: {path: content}}; see `publishing`."""
    with publishing() as publish:
        yield publish


@pytest.fixture
def published(tmp_path):
    """A folder that a server on loopback publishes, and its address."""
    folder = tmp_path / "published"
    folder.mkdir()
    with serving(folder) as address:
        yield folder, address
