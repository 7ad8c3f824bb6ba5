"""Linear filters whose outputs feed back: a recurrence over time, by blocks of samples.

A filter keeps K numbers, its state z (the transposed direct form II). What a block of inputs gives
is a matrix product; only the state goes over from block to block. So there is no loop over samples.
"""

from tallow.autograd.builtin import stack
from tallow.autograd.op import op
from tallow.ops.elementwise import fill
from tallow.ops.reduce import sum, widened
from tallow.ops.shape import cut, flip

BLOCK = 256  # samples: where products and the loop over blocks cost about the same


def state_space(xp, b, a):
    """z' = step z + enter x and y = z[0] + b[0] x: (C, K, K) and (C, K, 1), in float64."""
    count = max(a.shape[1], b.shape[1] - 1)
    feed, back = (xp.zeros((len(a), count)) for _ in "ba")
    feed[:, : b.shape[1] - 1], back[:, : a.shape[1]] = b[:, 1:], a
    step = xp.zeros((len(a), count, count))
    step[:] = xp.eye(count, k=1)
    step[:, :, 0] -= back
    return step, (feed - back * b[:, :1])[:, :, None]


def block_matrices(xp, b, a, time):
    """What a block of L samples is multiplied by, all from the left.

    From inputs to outputs (C, L, L), from the state to outputs (C, K, L), from inputs to the next
    state (C, L, K), from state to state (C, K, K). L is a power of 2, up to BLOCK.
    """
    step, enter = state_space(xp, b, a)
    shown = xp.zeros((len(a), 1, step.shape[1]))  # rows: how the state shows t samples later
    shown[..., 0] = 1
    while shown.shape[1] < min(time, BLOCK):
        shown = xp.concatenate([shown, shown @ step], axis=1)
        enter = xp.concatenate([step @ enter, enter], axis=2)
        step = step @ step
    length = shown.shape[1]
    impulse = xp.empty((len(a), length))
    impulse[:, 0] = b[:, 0]
    impulse[:, 1:] = (shown @ enter[:, :, -1:])[:, :-1, 0]
    lag = xp.arange(length) - xp.arange(length)[:, None]
    through = xp.where(lag >= 0, impulse[:, lag], 0)
    return through, shown.swapaxes(1, 2), enter.swapaxes(1, 2), step.swapaxes(1, 2)


@op
def recursive_filter(xp, x, b, a):
    """y[t] = b[0] x[t] + b[1] x[t - 1] + ... - a[0] y[t - 1] - a[1] y[t - 2] - ...

    x is (N, C, T); b (C, M) and a (C, K), K >= 1, are the coefficients of each channel.
    """
    (batch, channels, time), dtype = x.shape, widened(xp, x).dtype
    coefficients = (widened(xp, k).astype(xp.float64) for k in (b, a))
    through, shown, enter, step = block_matrices(xp, *coefficients, time)
    length = through.shape[1]
    steps = -(-time // length)
    blocks = xp.zeros((batch, channels, steps * length), dtype)
    blocks[..., :time] = x
    blocks = blocks.reshape(batch, channels, steps, length)
    y = blocks @ through.astype(dtype)
    if steps > 1:
        entered = xp.moveaxis(blocks @ enter.astype(dtype), 2, 0)[..., None, :]
        states = xp.zeros(entered.shape)  # at the beginning of each block
        for n in range(1, steps):
            states[n] = entered[n - 1] + states[n - 1] @ step
        y += xp.moveaxis(states[..., 0, :], 0, 2).astype(dtype) @ shown.astype(dtype)
    return y.reshape(batch, channels, steps * length)[..., :time].astype(x.dtype)


def correlated(v, x, lags, first):
    """The sums over batch and time of v[t] x[t - lag]: (C, lags), the lags from `first` on."""
    time = v.shape[2]
    products = [
        cut(v, axis=2, start=lag, stop=time) * cut(x, axis=2, start=0, stop=time - lag)
        for lag in (min(first + i, time) for i in range(lags))
    ]
    return stack(*[sum(part, axis=(0, 2), keepdims=False) for part in products], axis=1)


def reversed_in_time(x):
    return flip(x, axis=(2,))


@recursive_filter.joint_vjp
def _(g, x, b, a, out, needs):
    """The filter backwards in time; its coefficients meet what they were multiplied with."""
    g = reversed_in_time(g)
    by_x = reversed_in_time(recursive_filter(g, b, a)) if needs[0] else None
    if not (needs[1] or needs[2]):
        return by_x, None, None
    one = fill(cut(b, axis=1, start=0, stop=1), value=1)
    v = reversed_in_time(recursive_filter(g, one, a))
    by_b = correlated(v, x, b.shape[1], 0) if needs[1] else None
    by_a = -correlated(v, out, a.shape[1], 1) if needs[2] else None
    return by_x, by_b, by_a
