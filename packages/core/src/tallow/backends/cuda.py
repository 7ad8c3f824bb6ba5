"""CUDA: whether it is there, and how exact its products are."""

from contextlib import contextmanager

from tallow.cuda import is_available
from tallow.settings import get_float32_matmul_precision, set_float32_matmul_precision


class _Products:
    """`allow_tf32` is `set_float32_matmul_precision` at "high" or "highest".

    Sums of float16 and bfloat16 are always made in float32, whatever the other switches say.
    """

    allow_fp16_reduced_precision_reduction = False
    allow_bf16_reduced_precision_reduction = False

    @property
    def allow_tf32(self):
        return get_float32_matmul_precision() != "highest"

    @allow_tf32.setter
    def allow_tf32(self, allowed):
        set_float32_matmul_precision("high" if allowed else "highest")


matmul = _Products()


def is_built():
    """True if CuPy and a device are there."""
    return is_available()


@contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
    """Changes nothing: `nn.attention.sdpa_kernel` by its old name."""
    yield
