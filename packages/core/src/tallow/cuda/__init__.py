"""CUDA devices: whether there are any, which, and waiting for them. CuPy is opened when called."""

from importlib import import_module
from types import SimpleNamespace

from tallow import backend
from tallow.cuda import nvtx
from tallow.cuda.graphs import (
    CUDAGraph,
    batches_into,
    graph,
    graph_pool_handle,
    is_current_stream_capturing,
    make_graphed_callables,
)
from tallow.cuda.streams import (
    Event,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    set_stream,
    stream,
)
from tallow.device import device as device_type
from tallow.errors import DeviceError, OutOfMemoryError
from tallow.generator import generator_of


def is_available():
    """True if CuPy is installed and finds a CUDA device.

    >>> import tallow
    >>> where = tallow.device("cuda" if tallow.cuda.is_available() else "cpu")
    """
    return device_count() > 0


def device_count():
    """How many CUDA devices there are; 0 without CuPy."""
    try:
        return _runtime().getDeviceCount()
    except DeviceError:
        return 0


def current_device():
    """The number of the device that `"cuda"` means; DeviceError if there is none."""
    return _runtime().getDevice()


def get_device_name(device=None):
    """What the maker calls a device, such as "NVIDIA H100"."""
    return _runtime().getDeviceProperties(_number(device))["name"].decode()


def get_device_capability(device=None):
    """The compute capability of a device, such as (9, 0)."""
    properties = _runtime().getDeviceProperties(_number(device))
    return properties["major"], properties["minor"]


def get_device_properties(device=None):
    """What a device is: `name`, `major`, `minor`, `total_memory` (bytes), and the like."""
    found = _runtime().getDeviceProperties(_number(device))
    return SimpleNamespace(
        name=found["name"].decode(), major=found["major"], minor=found["minor"],
        total_memory=found["totalGlobalMem"], multi_processor_count=found["multiProcessorCount"],
        warp_size=found["warpSize"], L2_cache_size=found["l2CacheSize"],
    )  # fmt: skip


class device:
    """A context in which `"cuda"` means another device; None changes nothing."""

    def __init__(self, device):
        self._inner = None
        self.idx = None if device is None else _number(device)

    def __enter__(self):
        if self.idx is not None:
            self._inner = backend.for_device("cuda").xp.cuda.Device(self.idx)
            self._inner.__enter__()
        return self

    def __exit__(self, *exception):
        if self._inner is not None:
            self._inner.__exit__(*exception)


def set_device(device):
    """Make a device the one that `"cuda"` means."""
    backend.for_device("cuda").xp.cuda.Device(_number(device)).use()


def manual_seed(seed):
    """Start the current device's default generator anew from `seed`; `tallow.manual_seed` all."""
    if is_available():
        generator_of(device_type("cuda")).manual_seed(seed)


def manual_seed_all(seed):
    """Start the default generators of all CUDA devices anew from `seed`."""
    for number in range(device_count()):
        generator_of(device_type("cuda", number)).manual_seed(seed)


def seed():
    """Start the current device's default generator from a seed that the system makes up."""
    if is_available():
        generator_of(device_type("cuda")).seed()


def seed_all():
    """Start the default generators of all CUDA devices from one seed that the system makes up."""
    if is_available():
        manual_seed_all(generator_of(device_type("cuda", 0)).seed())


def initial_seed():
    """The seed that the current device's default generator last started from."""
    return generator_of(device_type("cuda")).initial_seed()


def get_rng_state(device="cuda"):
    """The state of a device's default generator, a uint8 tensor."""
    return generator_of(device_type(device)).get_state()


def set_rng_state(new_state, device="cuda"):
    """Set a device's default generator to a state that `get_rng_state` returned."""
    generator_of(device_type(device)).set_state(new_state)


def get_rng_state_all():
    """The states of the default generators of all CUDA devices, in their order."""
    return [get_rng_state(number) for number in range(device_count())]


def set_rng_state_all(new_states):
    """Take over what `get_rng_state_all` returned."""
    for number, state in enumerate(new_states):
        set_rng_state(state, number)


def empty_cache():
    """Give memory that no tensor uses back to the device; nothing where no device is there."""
    if is_available():
        _pool().free_all_blocks()


def memory_allocated(device=None):
    """How many bytes tensors use on a device, the current one unless told; 0 where none is."""
    return _figure(device, "used_bytes")


def memory_reserved(device=None):
    """How many bytes are held for tensors on a device, the current one unless told; 0 without."""
    return _figure(device, "total_bytes")


def max_memory_allocated(device=None):
    """The most bytes that tensors used at once on the current device; 0 where none is there.

    Counted are allocations of the thread that used CUDA first.
    """
    return _peak().used if is_available() else 0


def max_memory_reserved(device=None):
    """The most bytes that were held for tensors at once, counted as `max_memory_allocated` is."""
    return _peak().held if is_available() else 0


def reset_peak_memory_stats(device=None):
    """Let `max_memory_allocated` and `max_memory_reserved` begin anew."""
    if is_available():
        _peak().begin()


reset_max_memory_allocated = reset_peak_memory_stats


def set_per_process_memory_fraction(fraction, device=None):
    """Let tensors have no more than a part of a device's memory; 0 lifts the limit, as in CuPy."""
    with backend.for_device("cuda").xp.cuda.Device(_number(device)):
        _pool().set_limit(fraction=fraction)


def ipc_collect():
    """Nothing: processes share no memory of a device here."""


def memory_stats(device=None):
    """The figures of PyTorch's of that name that CuPy's pool has, in bytes."""
    return {
        "allocated_bytes.all.current": memory_allocated(device),
        "allocated_bytes.all.peak": max_memory_allocated(device),
        "reserved_bytes.all.current": memory_reserved(device),
        "reserved_bytes.all.peak": max_memory_reserved(device),
    }


def memory_summary(device=None, abbreviated=False):
    """`memory_stats` as a table."""
    rows = [f"{name:<30}{count:>16,}" for name, count in memory_stats(device).items()]
    return "\n".join(["memory of the current CUDA device, bytes", *rows])


def mem_get_info(device=None):
    """How many bytes are free on a device, and how many it has."""
    with backend.for_device("cuda").xp.cuda.Device(_number(device)):
        return _runtime().memGetInfo()


def is_bf16_supported(including_emulation=True):
    """True if there is a device: CuPy computes with bfloat16 on all of them."""
    return is_available()


def is_tf32_supported():
    """True if the current device can round factors of products to TensorFloat-32."""
    return is_available() and get_device_capability() >= (8, 0)


def can_device_access_peer(device, peer_device):
    """True if a device can read the memory of another by itself."""
    numbers = _number(device), _number(peer_device)
    return bool(_runtime().deviceCanAccessPeer(*numbers))


def init():
    """Open CuPy now, which the first use of a device does otherwise."""
    backend.for_device("cuda")


def is_initialized():
    """True if a CUDA device has been used."""
    return backend.is_open("cuda")


def synchronize(device=None):
    """Wait until everything asked of a device (the current one unless told) is done.

    Raises IndexError for an index that was found out of range there meanwhile.
    """
    with backend.for_device("cuda").xp.cuda.Device(_number(device)) as chosen:
        chosen.synchronize()
    import_module("tallow.kernels.cuda.faults").look()


def _runtime():
    return backend.for_device("cuda").xp.cuda.runtime


def _pool():
    return backend.for_device("cuda").xp.get_default_memory_pool()


def _figure(device, name):
    """What CuPy's pool says of a device."""
    if not is_available():
        return 0
    with backend.for_device("cuda").xp.cuda.Device(_number(device)):
        return getattr(_pool(), name)()


def _peak():
    backend.for_device("cuda")  # opens it, and with it the count
    return import_module("tallow.kernels.cuda.memory").PEAK


def _number(device):
    """The number of a device given as a number, a name, a `device` or None."""
    index = None if device is None else device_type(device).index
    return current_device() if index is None else index


def __getattr__(name):
    """The types of CUDA's tensors, `cuda.FloatTensor`, and what few programs need."""
    if name == "amp":
        return import_module("tallow.cuda.amp")
    if name == "_initialized":
        return is_initialized()
    types = import_module("tallow.legacy").TYPES
    for of_cpu in types:
        if of_cpu.name == name:
            return type(of_cpu)(f"cuda.{name}", of_cpu.dtype, "cuda")
    raise AttributeError(f"module 'tallow.cuda' has no attribute {name!r}")
