"""What several tests of tallowtext need."""

import pytest

from tallow.testing.datasets import publishing


@pytest.fixture
def publish():
    """Publishes contents by a part of their addresses; see `publishing`."""
    with publishing() as publish:
        yield publish
