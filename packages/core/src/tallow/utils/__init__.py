"""What trains beside the model: `data`, loading and batching."""

from tallow.utils import data
