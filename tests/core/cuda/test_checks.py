"""What a GPU alone would show of a kernel is shown on the processor: by kernels that are wrong."""

import numpy as np
import pytest

from tallow.kernels.cuda import launch
from tallow.testing.devices import Array

KERNEL = """
#define AT blockIdx.x * 64 + threadIdx.x
extern "C" __global__ void kernel(const Real* x, Real* out, Int n) {
"""
SHARED = "__shared__ Real all[64]; int i = threadIdx.x;"

RACE = "a race: no barrier (after a write|between a read and a write) all"
EARLY = f"{RACE}|shared memory read before it is written all"  # as the order will have it

WRONG = {  # body, what is said of it
    "no barrier": (
        f"{SHARED} all[i] = x[i]; out[i] = all[63 - i];",
        EARLY,
    ),
    "a barrier missing before the next turn": (
        f"""{SHARED} for (int k = 0; k < 2; k++) {{
          all[i] = x[i] + k; __syncthreads(); out[i] = all[63 - i];
        }}""",
        RACE,
    ),
    "a warp's barrier, for others": (
        f"{SHARED} all[i] = x[i]; __syncwarp(); out[i] = all[63 - i];",
        EARLY,
    ),
    "threads of a warp go their own way": (
        f"{SHARED} all[i] = x[i]; out[i] = all[i ^ 1];",
        EARLY,
    ),
    "blocks write one place": ("if (threadIdx.x == 0) out[0] = x[0];", "a race: .* argument 1"),
    "a block reads what another writes": (
        "Int i = blockIdx.x * blockDim.x + threadIdx.x; out[i] = i ? out[i - 1] : 0;", "a race: "
    ),
    "a barrier does not order blocks": (
        "if (threadIdx.x == 0) atomicAdd(out, x[0]); __syncthreads(); out[threadIdx.x + 1] = *out;",
        "a race: ",
    ),
    "shared memory not written": (
        f"{SHARED} if (i) all[i] = x[i]; __syncthreads(); out[AT] = all[i];",
        "shared memory read before it is written all \\+ 0",
    ),
    "what a block before wrote": (
        f"{SHARED} if (!blockIdx.x) all[i] = 0; __syncthreads(); out[AT] = all[i];",
        "shared memory read before it is written",
    ),
    "beyond an array": ("out[threadIdx.x + 65 * blockIdx.x] = 0;", "an access out of bounds"),
    "before an array": ("out[threadIdx.x] = x[(Int)threadIdx.x - 1];", "an access out of bounds"),
    "beyond a shared one": (
        f"{SHARED} Real* at = all; at[i + n / 128] = 0;", "an access out of bounds"
    ),
    "beyond a thread's own": (
        "Real own[2]; own[0] = own[1] = x[0]; out[AT] = own[n / 64];",
        "an index beyond its array",
    ),
    "not aligned": (
        """struct alignas(16) Four { Real x[4]; };
        Four four = *(const Four*)(x + threadIdx.x);
        out[AT] = four.x[0] + four.x[3];""",
        "an address that is not aligned argument 0",
    ),
    "a number too large": ("out[0] = (int)n * (1 << 30);", "an overflow"),
    "a barrier in a branch": (
        "if (threadIdx.x < 40) __syncthreads(); else __syncwarp();",
        "threads wait for each other forever",
    ),
    "different barriers": (
        "if (threadIdx.x < 40) __syncthreads();\n else __syncthreads();",
        "threads wait by different calls",
    ),
    "lanes in a branch": (
        "if (threadIdx.x % 2) out[0] = __shfl_sync(0xffffffff, 1.0f, 0);",
        "a value of a thread that is not there|threads wait",
    ),
    "a lane that has returned": (
        """if (threadIdx.x % 32 == 0) return;
        out[AT] = __shfl_xor_sync(0xffffffff, 1.0f, 1);""",
        "a value of a thread that is not there",
    ),
    "a product of half a warp": (
        """if (threadIdx.x % 2) return;
        float sums[4] = {}; unsigned int a[4] = {}, b[2] = {};
        add_product_of_warp("tf32", sums, a, b);""",
        "a warp that is not whole multiplies",
    ),
}  # fmt: skip

RIGHT = {
    "barriers": f"""{SHARED} for (int k = 0; k < 2; k++) {{
      all[i] = x[i] + k; __syncthreads(); out[AT] = all[63 - i]; __syncthreads();
    }}""",
    "a warp's barrier": f"{SHARED} all[i] = x[i]; __syncwarp(); out[AT] = all[i ^ 1];",
    "threads that have returned": f"""{SHARED} if (i > 40) return;
      all[i] = x[i]; __syncthreads(); out[AT] = all[40 - i];""",
    "atomic functions": "atomicAdd(out, x[threadIdx.x]);",
    "half a warp": """if (threadIdx.x % 32 < 16)
      out[AT] = __shfl_sync(0xffff, x[threadIdx.x], 15);""",
}


def made(body):
    """A kernel of that body."""
    code = "\n".join([launch.source(), KERNEL, body, "}"])
    return launch.COMPILERS["standin"](code, ("-DReal=float",)).get_function("kernel")


def run(kernel, elements=128, grid=(2,), threads=64):
    """What a kernel gives, by two blocks of 64 threads."""
    out = Array(np.zeros(elements, np.float32))
    kernel(grid, (threads,), (Array(np.arange(64, dtype=np.float32)), out, np.int64(128)))
    return out.host.tolist()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name, emulated):
    body, said = WRONG[name]
    with pytest.raises(AssertionError, match=f"^kernel: ({said})"):
        run(made(body))


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not(name, emulated):
    run(made(RIGHT[name]))


def test_a_report_shows_the_lines(emulated):
    body = "__shared__ Real all[64];\nall[threadIdx.x] = x[0];\nout[threadIdx.x] = all[0];"
    said = r"all \+ 0, by thread 1 after thread 0 of block \(0, 0, 0\): out\[.* after: all\["
    with pytest.raises(AssertionError, match=said):
        run(made(body))


def test_orders(emulated):
    """The first launch of a test runs forwards, the next backwards, others mixed."""
    kernel = made("out[(Int)atomicAdd(out + 128, 1.0f)] = threadIdx.x + 64 * blockIdx.x;")
    orders = [run(kernel, 129)[:128] for _ in range(4)]
    assert orders[0] == list(range(128)) and orders[1] == orders[0][::-1]
    assert all(sorted(order) == orders[0] for order in orders)
    assert len(set(map(tuple, orders))) == 4


@pytest.mark.parametrize(("grid", "threads"), [
    ((2, 65536), 32), ((1, 1, 70000), 32), ((1,), 1056), ((0,), 32), ((1 << 31,), 32),
])  # fmt: skip
def test_shapes_of_launches(grid, threads, emulated):
    with pytest.raises(AssertionError, match="expected a launch within CUDA's limits"):
        run(made(""), grid=grid, threads=threads)
