"""Operations: bodies and their gradient rules."""

from tallow.ops import aten
