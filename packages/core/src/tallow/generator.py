"""Generators, and random numbers on the host: the streams that PyTorch makes of a Mersenne Twister.

Given the same seed and the same calls, every function here returns the numbers that PyTorch's CPU
generator returns and leaves the generator in the same state. Each takes a `Generator` and a shape
and returns a C-contiguous NumPy array, filled in the order of its memory. (`drawing` has those of
other devices.)

References: Matsumoto and Nishimura, Mersenne Twister, ACM TOMACS 8 (1998); Box and Muller, A note
on the generation of random normal deviates, Annals of Mathematical Statistics 29 (1958).
"""

import functools
import math
import operator
import os
import threading

import numpy as np

from tallow import backend
from tallow.device import CPU, device
from tallow.errors import DeviceError, DistributionError, TypeMismatchError
from tallow.kernels.loading import compiled, twister_is_known

DEFAULT_SEED = 67280421310721
PIECE = 1 << 15  # draws made at a time: what they take stays in the cache
FEW = 8  # so many are drawn one by one, as ints, which takes less time than arrays do
WORDS = 624  # the twister's state, 32 bits each

STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words", "normal", "has_normal"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", WORDS), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 24 + 8 * WORDS + 8, 24 + 8 * WORDS + 24],
        "itemsize": 5056,
    }
)  # PyTorch's layout; the bytes between are for fields that it no longer uses

LARGEST = {"bool": 1, "float16": 2**11, "bfloat16": 2**8, "float32": 2**24, "float64": 2**53}


class Generator:
    """A stream of random numbers with a seed and a state of its own, for the CPU or another device.

    >>> g = tallow.Generator().manual_seed(0)
    >>> tallow.rand(3, generator=g)
    tensor([0.4963, 0.7682, 0.0885])
    """

    __slots__ = ("device", "spare_normal", "_twister", "_seed", "__weakref__")

    def __new__(cls, device="cpu"):
        on_host = _device(device).type == "cpu"
        return object.__new__(cls if on_host else DeviceGenerator)

    def __init__(self, device="cpu"):
        self.device = CPU
        self._twister = None
        self.manual_seed(DEFAULT_SEED)

    @property
    def bits(self):
        """NumPy's twister; numpy.random is not imported before the first draw."""
        if self._twister is None:
            twister = np.random.MT19937()
            twister._legacy_seeding(self._seed % 2**32)
            self._twister = twister
        return self._twister

    def manual_seed(self, seed):
        """Start anew from `seed`, of whose 64 bits the low 32 count; returns the generator."""
        self._seed = _checked(seed)
        if self._twister is not None:
            self._twister._legacy_seeding(self._seed % 2**32)
        self.spare_normal = None  # the second number of a Box-Muller pair, kept for the next call
        return self

    def seed(self):
        """Start anew from a seed that the operating system makes up; returns it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self):
        """The seed of the last `manual_seed` or `seed`."""
        return self._seed

    def state_bytes(self):
        """The whole state as uint8 in PyTorch's layout: either library reads the other's."""
        key, used = _key_and_position(self.bits)
        fresh = used == WORDS and key[0] == self._seed % 2**32
        state = np.zeros(1, STATE)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, key
        state["left"], state["next"] = WORDS + 1 - used, 0 if fresh else used
        if self.spare_normal is not None:
            state["normal"], state["has_normal"] = self.spare_normal, 1
        return state.view(np.uint8)

    def load_state_bytes(self, state):
        """Take over a state that `state_bytes` returned."""
        state = _state_of(state, STATE)
        if state["seeded"] != 1 or not 1 <= state["left"] <= WORDS:
            raise DistributionError(
                "set_state: expected the state of a CPU generator, got other bytes"
            )
        position = WORDS + 1 - int(state["left"])
        key = state["words"].astype(np.uint32)
        self.bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._seed = int(state["seed"])
        self.spare_normal = float(state["normal"]) if state["has_normal"] else None

    def clone_state(self):
        """A new generator that will draw the same numbers as this one."""
        twin = type(self)(self.device)
        twin.load_state_bytes(self.state_bytes())
        return twin

    def __repr__(self):
        return f"<tallow.Generator device={self.device} seed={self._seed}>"

    def __reduce__(self):
        return _from_state_bytes, (self.state_bytes(), str(self.device))


_device = device  # a name that no parameter hides


def _checked(seed):
    """A seed as 64 bits."""
    seed = operator.index(seed)
    if not -(2**63) <= seed < 2**64:
        raise DistributionError(
            f"manual_seed: expected a seed from -2**63 to 2**64 - 1, got {seed}"
        )
    return seed % 2**64


def _state_of(state, kind):
    """A state in bytes as a structure."""
    state = np.ascontiguousarray(state)
    if state.dtype != np.uint8:
        raise TypeMismatchError(f"set_state: expected a state of dtype uint8, got {state.dtype}")
    if state.size != kind.itemsize:
        raise DistributionError(f"set_state: expected {kind.itemsize} bytes, got {state.size}")
    return state.view(kind)[0]


def _key_and_position(bits):
    state = bits.state["state"]
    return state["key"], state["pos"]


def _from_state_bytes(state, where="cpu"):
    generator = Generator(where)
    generator.load_state_bytes(state)
    return generator


class _Lent(threading.local):
    stream = None  # what this thread draws from in place of the default generator
    key = None  # what `stream` is to be seeded from before its next draw
    spare = None  # a stream that was lent before


def _forwarded(name):
    return property(
        lambda self: getattr(self.current(), name),
        lambda self, value: setattr(self.current(), name, value),
    )


class DefaultGenerator(Generator):
    """The generator that is drawn from where none is given.

    A thread can be lent a stream of its own in its place, which is how a `DataLoader` makes the
    numbers of each sample its own, whichever worker draws them.
    """

    __slots__ = ("main", "lent")

    spare_normal, _twister, _seed = map(_forwarded, ("spare_normal", "_twister", "_seed"))

    def __init__(self, device="cpu"):
        self.device = CPU
        self.main = Generator()
        self.lent = _Lent()

    @property
    def bits(self):
        return self.current().bits

    def current(self):
        """The generator that this thread draws from."""
        lent = self.lent
        if lent.stream is None:
            return self.main
        key = lent.key
        if key is not None:  # seeding takes longer than most samples that draw nothing
            lent.key = None
            lent.stream.manual_seed(key if type(key) is int else seed_of(key))
        return lent.stream

    def lend(self, key):
        """From now on this thread draws from a stream with the seed `key`, or `seed_of` a tuple."""
        lent = self.lent
        if lent.spare is None:
            lent.spare = Generator()
        lent.stream, lent.key = lent.spare, key

    def take_back(self):
        """This thread draws from the default generator again."""
        self.lent.stream = self.lent.key = None


def seed_of(key):
    """A seed of 64 bits for a tuple of ints, by the mixing of splitmix64.

    Reference: Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    seed, mask = 0, 0xFFFFFFFFFFFFFFFF
    for part in key:
        seed = (seed + part + 0x9E3779B97F4A7C15) & mask
        seed = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & mask
        seed = (seed ^ seed >> 27) * 0x94D049BB133111EB & mask
        seed ^= seed >> 31
    return seed


default_generator = DefaultGenerator()
default_generator.seed()


# Devices that draw by position: numbers are functions of a seed and of where they stand


class DeviceGenerator(Generator):
    """A generator of a device's own: a seed, and how far its stream has been used.

    Blocks of four words are counted from `offset`, a multiple of 4, in every lane of the device.
    """

    __slots__ = ("offset",)
    STATE = np.dtype([("seed", "<u8"), ("offset", "<i8")])  # PyTorch's layout

    def __init__(self, device):
        self.device = _numbered(_device(device))
        self.manual_seed(DEFAULT_SEED)

    @property
    def bits(self):
        raise DeviceError(
            f"{self!r}: expected a generator of the CPU, for what is drawn on the host, got one "
            f"of {self.device}"
        )

    def manual_seed(self, seed):
        """Start anew from `seed`, of 64 bits; returns the generator."""
        self._seed, self.offset = _checked(seed), 0
        return self

    def state_bytes(self):
        """The whole state as uint8 in PyTorch's layout: either library reads the other's."""
        return np.array([(self._seed, self.offset)], self.STATE).view(np.uint8)

    def load_state_bytes(self, state):
        """Take over a state that `state_bytes` returned."""
        seed, offset = _state_of(state, self.STATE).item()
        if offset < 0 or offset % 4:
            raise DistributionError(f"set_state: expected an offset of 0, 4, 8 ..., got {offset}")
        self._seed, self.offset = seed, offset

    def take(self, rounds):
        """(seed, offset) of the next `rounds` blocks in every lane, and a captured graph's array.

        While a graph is captured it is that array, int64 (2,) on the device, that replays put both
        into; the offset then counts from the graph's beginning. Else it is None.
        """
        if captured is not None and self not in captured:
            raise DeviceError(
                f"{self!r}: expected a generator that is registered with the graph that is "
                "captured; call graph.register_generator_state(generator) before"
            )
        offset = self.offset
        self.offset += 4 * rounds
        return self._seed, offset, None if captured is None else captured[self]


captured: dict | None = None  # while a graph is captured: the arrays of its generators
device_generators: dict = {}  # by device: what is drawn from there where no generator is given


def _numbered(where):
    """A device that draws, with its number; DeviceError for another."""
    library = backend.for_device(where)
    if library.random_blocks is None:
        raise DeviceError(
            f"Generator: expected a device that draws numbers itself, got '{where}'; draw on the "
            "host and move the result with .to()"
        )
    return where if where.index is not None else library.device_of(library.xp.empty(0))


def generator_of(where):
    """The generator that is drawn from on a device where none is given."""
    if where.type == "cpu" or backend.for_device(where).random_blocks is None:
        return default_generator
    where = _numbered(where)
    if where not in device_generators:
        device_generators[where] = Generator(where).manual_seed(default_generator.initial_seed())
    return device_generators[where]


# Words: the draws that everything below is a rule on


def words32(generator, count):
    """The next `count` words of 32 bits, as uint64."""
    return generator.bits.random_raw(count)


def words64(generator, count):
    """The next `count` words of 64 bits, each of two draws, the first being the high half."""
    pairs = generator.bits.random_raw(2 * count)
    return pairs[0::2] << np.uint64(32) | pairs[1::2]


def unit32(generator, count):
    """Numbers in [0, 1) of 24 bits, as float64, of one draw each."""
    return (words32(generator, count) & 0xFFFFFF) * 2.0**-24


def unit64(generator, count):
    """Numbers in [0, 1) of 53 bits, as float64, of two draws each."""
    return (words64(generator, count) & (2**53 - 1)) * 2.0**-53


def _few(generator, count):
    """The next `count` words of 32 bits, as ints."""
    draw = generator.bits.random_raw
    return [draw() for _ in range(count)]


def _fill(generator, shape, dtype, draws, rule):
    """An array whose elements are `rule` of `draws`, made piece by piece."""
    count = math.prod(shape)
    out = np.empty(count, dtype)
    for start in range(0, count, PIECE):
        piece = out[start : start + PIECE]
        piece[...] = narrow(rule(draws(generator, piece.size)), out.dtype)
    return out.reshape(shape)


def narrow(x, dtype):
    """x in another dtype; float64 reaches the types of 16 bits by way of float32, as in PyTorch."""
    with np.errstate(over="ignore"):
        if dtype.itemsize == 2 and x.dtype == np.float64:
            x = x.astype(np.float32)
        return x.astype(dtype, copy=False)


# Uniform numbers


def uniform(generator, shape, dtype=np.float32, low=0.0, high=1.0):
    """Numbers in [low, high), of 24 random bits, or of 53 for float64.

    Types of 16 bits are rounded from float32; what rounds up to `high` becomes `low`.
    """
    dtype = np.dtype(dtype)
    if dtype == np.float64:
        return _fill(generator, shape, dtype, unit64, lambda u: _multiply_add(u, high - low, low))
    # the products are exact in float64: each number is rounded once, as by a fused multiply-add
    start, span = 0.0, 1.0
    if (low, high) != (start, span):
        start = float(np.float32(low))
        span = float(np.float32(high) - np.float32(low))
    if dtype == np.float32 and (count := math.prod(shape)) <= FEW:
        words = _few(generator, count)
        values = [(word & 0xFFFFFF) * 2.0**-24 * span + start for word in words]
        return np.array(values, dtype).reshape(shape)
    result = _fill(generator, shape, np.float32, unit32, lambda u: u * span + start)
    if dtype == np.float32:
        return result
    result = result.astype(dtype)
    result[result >= np.asarray(high, dtype)] = low
    return result


def _multiply_add(x, factor, term):
    """x * factor + term in float64, rounded once, as a processor's fused multiply-add rounds it.

    The rounding errors of the product and of the sum are computed exactly and added at the end
    (Dekker, A floating-point technique for extending the available precision, Numerische
    Mathematik 18 (1971)).
    """
    if factor == 1 or term == 0:
        return x * factor + term
    product = x * factor
    x_high, factor_high = _upper_half(x), _upper_half(factor)
    x_low, factor_low = x - x_high, factor - factor_high
    error = x_high * factor_high - product
    error += x_high * factor_low + x_low * factor_high
    error += x_low * factor_low
    total = product + term
    rest = total - product
    return total + ((product - (total - rest)) + (term - rest) + error)


def _upper_half(x):
    """x rounded to the upper 26 of its 53 bits."""
    shifted = x * (2.0**27 + 1)
    return shifted - (shifted - x)


def bernoulli(generator, shape, dtype=np.float32, probability=0.5):
    """Ones with a probability, else zeros."""
    return _fill(generator, shape, dtype, unit64, lambda u: u < probability)


def bernoulli_each(generator, probabilities, dtype=None):
    """Ones with a probability for each element, else zeros, in the probabilities' shape."""
    chances = np.ravel(probabilities)
    draw = unit64 if chances.dtype == np.float64 else unit32
    out = np.empty(chances.size, dtype or chances.dtype)
    for start in range(0, chances.size, PIECE):
        chance = chances[start : start + PIECE].astype(np.float64)
        out[start : start + PIECE] = draw(generator, chance.size) < chance
    return out.reshape(np.shape(probabilities))


def dropout_mask(generator, shape, probability):
    """A mask of bool for dropout: True, which is "keep", with 1 - probability."""
    return bernoulli(generator, shape, np.bool_, 1 - probability)


def exponential(generator, shape, dtype=np.float32, rate=1.0):
    """Waiting times of density rate * exp(-rate * x)."""
    return _fill(generator, shape, dtype, unit64, lambda u: -1 / rate * np.log1p(-u))


def geometric(generator, shape, dtype=np.float32, probability=0.5):
    """The number of trials until the first success, 1 at least."""
    with np.errstate(divide="ignore"):
        scale = np.log1p(-probability)
        return _fill(generator, shape, dtype, unit64, lambda u: np.ceil(np.log(u) / scale))


def cauchy(generator, shape, dtype=np.float32, median=0.0, sigma=1.0):
    """Numbers of the Cauchy distribution, `sigma` being half its width at half its height."""
    rule = lambda u: median + sigma * np.tan(np.pi * (u - 0.5))  # noqa: E731
    return _fill(generator, shape, dtype, unit64, rule)


# Normal numbers


def normal(generator, shape, dtype=np.float32, mean=0.0, std=1.0, contiguous=True):
    """Normal numbers by Box and Muller's transform.

    Sixteen or more come in blocks of sixteen, computed in the precision of `dtype` (in float32 for
    types of 16 bits). Fewer, or numbers for memory that is not contiguous, come in pairs, computed
    in float64; where one is left over, the generator keeps it for the next call. Blocks in float32
    agree with PyTorch's to a few units in the last place: its vectorised sine and logarithm are its
    own.
    """
    dtype = np.dtype(dtype)
    count = math.prod(shape)
    if count < 16 or not contiguous:
        return narrow(_scaled(_normal_pairs(generator, count), mean, std), dtype).reshape(shape)
    working, draw = (np.float64, unit64) if dtype == np.float64 else (np.float32, unit32)
    out = np.empty(count, dtype)
    whole = count - count % 16
    for start in range(0, whole, PIECE):
        stop = min(start + PIECE, whole)
        out[start:stop] = _scaled(
            _normal_blocks(draw(generator, stop - start).astype(working)), mean, std
        )
    if whole < count:  # the last sixteen are drawn again
        if dtype.itemsize > 2:
            draw(generator, count - whole)  # PyTorch draws the ragged end before, for nothing
        out[-16:] = _scaled(_normal_blocks(draw(generator, 16).astype(working)), mean, std)
    return out.reshape(shape)


def _normal_blocks(uniform):
    """Normal numbers of uniform ones, sixteen at a time: eight cosines, then eight sines."""
    blocks = uniform.reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log(1 - blocks[:, 0]))
    angle = 2 * math.pi * blocks[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()


def _normal_pairs(generator, count):
    """Standard normal numbers in pairs of float64; the generator keeps one that is left over."""
    values = np.empty(count)
    kept = 0
    if count and generator.spare_normal is not None:
        values[0], generator.spare_normal, kept = generator.spare_normal, None, 1
    missing = count - kept
    if missing:
        angle, square = unit64(generator, missing + missing % 2).reshape(-1, 2).T
        radius = np.sqrt(-2 * np.log1p(-square))
        pairs = np.stack(
            [radius * np.cos(2 * math.pi * angle), radius * np.sin(2 * math.pi * angle)], axis=1
        )
        values[kept:] = pairs.ravel()[:missing]
        if missing % 2:
            generator.spare_normal = float(pairs[-1, 1])
    return values


def _scaled(standard, mean, std):
    """standard * std + mean, rounded once."""
    if standard.dtype == np.float64:
        return _multiply_add(standard, std, mean)
    return (standard * np.float64(np.float32(std)) + np.float64(np.float32(mean))).astype(
        np.float32
    )


def log_normal(generator, shape, dtype=np.float32, mean=1.0, std=2.0):
    """exp of normal numbers."""
    values = np.exp(_scaled(_normal_pairs(generator, math.prod(shape)), mean, std))
    return narrow(values, np.dtype(dtype)).reshape(shape)


# Integers


def integers(generator, shape, dtype, low, high):
    """Whole numbers from `low` to `high` - 1; ranges of 2**28 or more take two draws each."""
    if high - low < 2**28 and dtype.kind in "iu" and (count := math.prod(shape)) <= FEW:
        words = _few(generator, count)
        return np.array([word % (high - low) + low for word in words], dtype).reshape(shape)
    span = np.uint64(high - low)
    draw = words32 if high - low < 2**28 else words64
    return _fill(generator, shape, dtype, draw, lambda words: (words % span).view(np.int64) + low)


def any_integers(generator, shape, dtype):
    """Whole numbers from 0 to the largest of the dtype (see `largest`)."""
    kind = np.dtype(dtype)
    span = np.uint64(largest(kind) + 1)
    draw = words64 if kind.itemsize == 8 else words32
    return _fill(generator, shape, kind, draw, lambda words: words % span)


@functools.cache
def largest(dtype):
    """The largest of the whole numbers that a dtype holds without a gap."""
    return LARGEST.get(dtype.name) or int(np.iinfo(dtype).max)


def full_range(generator, shape, dtype=np.int64):
    """Whole numbers of all 64 bits, negative ones included."""
    return _fill(generator, shape, dtype, words64, lambda words: words.view(np.int64))


def randperm(generator, count, dtype=np.int64):
    """The numbers from 0 to count - 1 in random order, by Fisher and Yates' shuffle."""
    if twister_is_known():
        return compiled.random_order(generator.bits, count).astype(dtype, copy=False)
    order = list(range(count))
    left = np.arange(count, 1, -1, dtype=np.uint64)
    steps = (words32(generator, left.size) % left).tolist()
    for i, step in enumerate(steps):
        order[i], order[i + step] = order[i + step], order[i]
    return np.array(order, dtype)


# Draws from weights


def multinomial(generator, weights, count, replacement=False):
    """`count` indices (int64) a row, drawn with the probabilities that weights (C,) or (N, C) give.

    Without replacement they are those of the largest quotients of weights by exponential numbers,
    the Gumbel-max trick with its logarithms undone.
    """
    if not replacement or count == 1:
        waits = exponential(generator, weights.shape, weights.dtype)
        with np.errstate(divide="ignore"):
            sizes = weights / waits
        if count == 1:
            return sizes.argmax(axis=-1, keepdims=True)
        return np.argsort(-sizes, axis=-1, kind="stable")[..., :count]
    rows = weights.shape[:-1]
    points = unit64(generator, math.prod(rows) * count).reshape(*rows, count)
    slots = NotImplemented if compiled is None else compiled.random_slots(weights, points)
    if slots is not NotImplemented:
        return slots
    sums = np.cumsum(weights, axis=-1, dtype=np.promote_types(weights.dtype, np.float32))
    sums /= sums[..., -1:]
    if weights.ndim == 1:
        return _slots(sums, points)
    return np.stack([_slots(*row) for row in zip(sums, points, strict=True)])


def _slots(sums, points):
    """The index of the first of the cumulated sums that reaches each point."""
    return np.searchsorted(sums[:-1].astype(np.float64), points)
