"""Recurrent networks: RNN, LSTM and GRU over sequences, and their cells for one step."""

import math
import warnings

from tallow.casting import is_autocast_enabled
from tallow.creation import empty
from tallow.errors import ArgumentError, ShapeError, TypeMismatchError, describe
from tallow.nn import init
from tallow.nn.functional.rnn import run_layers
from tallow.nn.modules.layer import Layer
from tallow.nn.parameter import Parameter
from tallow.ops import rnn as ops
from tallow.tensor import Tensor

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Layer):
    """What RNN, LSTM and GRU share: their weights, and how sequences and states come and go.

    Layer k has `weight_ih_lk` `(gates * hidden_size, input)`, `weight_hh_lk` `(gates * hidden_size,
    hidden)`, `bias_ih_lk` and `bias_hh_lk` `(gates * hidden_size,)`, with `proj_size` also
    `weight_hr_lk` `(proj_size, hidden_size)`, and once more with the suffix `_reverse`. All start
    uniform within ±1/sqrt(hidden_size).
    """

    sizes = ("input_size", "hidden_size")
    usual = {
        "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
        "bidirectional": False,
    }  # fmt: skip

    def __init__(
        self, mode, input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
        dropout=0.0, bidirectional=False, proj_size=0, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        if mode not in _GATES:
            raise ArgumentError(f"RNNBase: expected one of {', '.join(_GATES)}, got {mode!r}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check(dropout)
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: 2 if bidirectional else 1]:
                self._add_weights(layer, suffix, {"device": device, "dtype": dtype})
        self.reset_parameters()

    def _check(self, dropout):
        name = type(self).__name__
        kinds = {"bias": bool, "batch_first": bool, "input_size": int, "hidden_size": int}
        for setting, kind in kinds.items():
            value = getattr(self, setting)
            if not isinstance(value, kind):
                raise TypeMismatchError(
                    f"{name}: expected {setting} of {kind.__name__}, got {value!r}"
                )
        for setting in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, setting) <= 0:
                raise ArgumentError(
                    f"{name}: expected {setting} above 0, got {getattr(self, setting)}"
                )
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ArgumentError(f"{name}: expected dropout from 0 to 1, got {dropout}")
        if self.proj_size and self.mode != "LSTM":
            raise ArgumentError(f"{name}: expected proj_size with LSTM only, got {self.proj_size}")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ArgumentError(
                f"{name}: expected proj_size from 0 to below hidden_size {self.hidden_size}, got "
                f"{self.proj_size}"
            )
        if dropout and self.num_layers == 1:
            warnings.warn(
                f"{name}: dropout is put between layers, and there is but one: num_layers=1",
                stacklevel=4,
            )

    def _add_weights(self, layer, suffix, where):
        """Register the weights of one layer in one direction."""
        state = self.proj_size or self.hidden_size
        rows = _GATES[self.mode] * self.hidden_size
        input_size = state * (2 if self.bidirectional else 1) if layer else self.input_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, state)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = {name: f"{name}_l{layer}{suffix}" for name in shapes}
        for name, shape in shapes.items():
            setattr(self, names[name], Parameter(empty(shape, **where)))
        self._all_weights.append(list(names.values()))

    @property
    def all_weights(self):
        """The parameters of each layer and direction, as lists."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def reset_parameters(self):
        """Draw all weights anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self):
        """Nothing to do: only cuDNN wants its weights in one piece of memory."""

    def _weights(self):
        """The weights of each layer and direction as the operation takes them."""
        biases = [] if self.bias else [None, None]
        projection = [None] if self.mode == "LSTM" and not self.proj_size else []
        return [(*weights[:2], *biases, *weights[2:], *projection) for weights in self.all_weights]

    def forward(self, input, hx=None):
        """Output and last state, of `(L, N, input)`, `(L, input)` or a PackedSequence."""
        packed = not isinstance(input, Tensor)
        data, batch_sizes, order = self._sequences(input, packed)
        single = not packed and input.ndim == 2
        states = self._states(data, batch_sizes[0], hx, single, order)
        data, last = run_layers(
            self._step, data, states, self._weights(), batch_sizes,
            bidirectional=self.bidirectional, dropout_p=self.dropout, training=self.training,
        )  # fmt: skip
        if packed:
            data = type(input)(data, *input[1:])
            if order is not None:
                last = tuple(state.index_select(1, input.unsorted_indices) for state in last)
            return data, self._as_given(last)
        data = data.reshape(len(batch_sizes), batch_sizes[0], data.shape[1])
        if single:
            return data.squeeze(1), self._as_given(tuple(state.squeeze(1) for state in last))
        return data.transpose(0, 1) if self.batch_first else data, self._as_given(last)

    @property
    def _step(self):
        """The operation for one direction of one layer."""
        if self.mode.startswith("RNN"):
            relu = self.mode == "RNN_RELU"
            return lambda *operands, **how: ops.rnn(*operands, relu=relu, **how)
        return ops.lstm if self.mode == "LSTM" else ops.gru

    def _sequences(self, input, packed):
        """The steps one after the other, how many sequences reach each, and their order if any."""
        if packed:
            batch_sizes, order = tuple(input.batch_sizes.tolist()), input.sorted_indices
            data, dims = input.data, (2,)
        else:
            data, dims, order = input, (2, 3), None
        steps = data.shape[1 if self.batch_first and data.ndim == 3 else 0]
        if data.ndim not in dims or data.shape[-1] != self.input_size or not steps:
            raise ShapeError(
                f"{type(self).__name__}: expected input {self._input_shapes()}, got "
                f"{describe(data)}; batch_first is {self.batch_first}"
            )
        weight = self.weight_ih_l0
        if data.dtype is not weight.dtype and not is_autocast_enabled(data.device.type):
            raise ArgumentError(
                f"{type(self).__name__}: expected input of the weights' {weight.dtype}, got "
                f"{describe(data)}; convert one with .to()"
            )
        if packed:
            return data, batch_sizes, order
        if data.ndim == 2:
            data = data.unsqueeze(1)
        elif self.batch_first:
            data = data.transpose(0, 1)
        length, batch, size = data.shape
        return data.reshape(length * batch, size), (batch,) * length, order

    def _input_shapes(self):
        steps = "(N, L, {})" if self.batch_first else "(L, N, {})"
        return f"{steps.format(self.input_size)} or (L, {self.input_size})"

    def _states(self, data, batch, hx, single, order):
        """The first states, each (layers * directions, N, size), zeros unless given."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size]
        if self.mode == "LSTM":
            sizes.append(self.hidden_size)
        if hx is None:
            return [data.new_zeros(count, batch, size) for size in sizes]
        given = list(hx) if self.mode == "LSTM" else [hx]
        for state, size in zip(given, sizes, strict=True):
            expected = (count, size) if single else (count, batch, size)
            if tuple(state.shape) != expected:
                raise ShapeError(
                    f"{type(self).__name__}: expected hx {expected}, got {describe(state)}"
                )
        if single:
            return [state.unsqueeze(1) for state in given]
        return given if order is None else [state.index_select(1, order) for state in given]

    def _as_given(self, states):
        """h, or (h, c), as the layer is given them."""
        return states if self.mode == "LSTM" else states[0]


class RNN(RNNBase):
    """`h = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu of it, in layers (Elman, 1990).

    Shapes: input `(L, N, input_size)`, `(N, L, input_size)` with `batch_first`, or without N, or a
    PackedSequence; output the same with `directions * hidden_size`; states `(num_layers *
    directions, N, hidden_size)`. `dropout` is put between layers, in training.

    >>> rnn = tallow.nn.RNN(10, 20, num_layers=2)
    >>> output, h = rnn(tallow.randn(5, 3, 10))
    >>> tuple(output.shape), tuple(h.shape)
    ((5, 3, 20), (2, 3, 20))
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True,
        batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None,
    ):  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNN: expected 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, device=device, dtype=dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): `c = f c + i g`, `h = o tanh(c)`.

    i, f and o are sigmoids and g a tanh of `W_ih x + b_ih + W_hh h + b_hh`, in the order i f g o.
    `proj_size` maps h to that size (Sak et al., 2014). The state is the pair (h, c), each
    `(num_layers * directions, N, size)`; other shapes and arguments are as in `RNN`.

    >>> lstm = tallow.nn.LSTM(10, 20, batch_first=True, bidirectional=True)
    >>> output, (h, c) = lstm(tallow.randn(3, 5, 10))
    >>> tuple(output.shape), tuple(c.shape)
    ((3, 5, 40), (2, 3, 20))
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
        bidirectional=False, proj_size=0, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype,
        )  # fmt: skip


class GRU(RNNBase):
    """The gated recurrent unit (Cho et al., 2014): `h = (1 - z) n + z h`.

    r and z are sigmoids of `W_ih x + b_ih + W_hh h + b_hh`, `n = tanh(W_in x + b_in + r (W_hn h +
    b_hn))`, in the order r z n. Shapes and arguments are as in `RNN`.

    >>> output, h = tallow.nn.GRU(10, 20)(tallow.randn(5, 3, 10))
    >>> tuple(output.shape), tuple(h.shape)
    ((5, 3, 20), (1, 3, 20))
    """

    def __init__(
        self, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
        bidirectional=False, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype,
        )  # fmt: skip


# One step


class RNNCellBase(Layer):
    """What the cells share: `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`."""

    sizes = ("input_size", "hidden_size")
    usual = {"bias": True}

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            there = bias or name.startswith("weight")
            weight = Parameter(empty(shape, device=device, dtype=dtype)) if there else None
            self.register_parameter(name, weight)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _run(self, step, input, states, **how):
        """The new states of an operation's one step, from states or None for zeros."""
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: expected input (N, {self.input_size}) or "
                f"({self.input_size},), got {describe(input)}"
            )
        shape = (*input.shape[:-1], self.hidden_size)
        for state in states:
            if state is not None and tuple(state.shape) != shape:
                kind = ShapeError if state.ndim in (1, 2) else ArgumentError
                raise kind(
                    f"{type(self).__name__}: expected a state {shape}, got {describe(state)}"
                )
        states = [input.new_zeros(shape) if state is None else state for state in states]
        single = input.ndim == 1
        rows = [x.unsqueeze(0) if single else x for x in (input, *states)]
        weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        out = step(*rows, *weights, batch_sizes=(len(rows[0]),), reverse=False, **how)
        return [x.squeeze(0) if single else x for x in out[1 : 1 + len(states)]]


class RNNCell(RNNCellBase):
    """One step of `RNN`: `(N, input_size)`, `(N, hidden_size)` to `(N, hidden_size)`.

    >>> tuple(tallow.nn.RNNCell(10, 20)(tallow.randn(3, 10)).shape)
    (3, 20)
    """

    usual = {"bias": True, "nonlinearity": "tanh"}

    def __init__(
        self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNNCell: expected 'tanh' or 'relu', got {self.nonlinearity!r}")
        return self._run(ops.rnn, input, [hx], relu=self.nonlinearity == "relu")[0]


class LSTMCell(RNNCellBase):
    """One step of `LSTM`: `(N, input_size)` and the pair (h, c) to the new pair.

    >>> h, c = tallow.nn.LSTMCell(10, 20)(tallow.randn(3, 10))
    >>> tuple(h.shape)
    (3, 20)
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        def step(x, h, c, *weights, **how):
            return ops.lstm(x, h, c, *weights, None, **how)

        return tuple(self._run(step, input, [None, None] if hx is None else list(hx)))


class GRUCell(RNNCellBase):
    """One step of `GRU`: `(N, input_size)`, `(N, hidden_size)` to `(N, hidden_size)`.

    >>> tuple(tallow.nn.GRUCell(10, 20)(tallow.randn(3, 10)).shape)
    (3, 20)
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        return self._run(ops.gru, input, [hx])[0]
