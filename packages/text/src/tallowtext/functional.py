"""Sequences of tokens, or batches of them, made into others and into tensors."""

import tallow
from tallow.errors import ArgumentError, TypeMismatchError

__all__ = ["add_token", "str_to_int", "to_tensor", "truncate"]


def per_sequence(name, input, function):
    """`function` of a list of tokens (str or int), or of each list in a list of them."""
    if not isinstance(input, list):
        raise TypeMismatchError(f"{name}: expected a list, got {type(input).__name__}")
    kinds = set(map(type, input))
    if kinds == {list}:
        return [per_sequence(name, sequence, function) for sequence in input]
    if len(kinds) > 1 or not kinds <= {str, int}:
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeMismatchError(f"{name}: expected all str, all int, or lists of them, got {found}")
    return function(input)


def to_tensor(input, padding_value=None, dtype=tallow.long):
    """Numbers of tokens, or a batch of them, as a tensor (length) or (batch, length).

    Sequences of different lengths are filled up with `padding_value`; ArgumentError without one.

    >>> from tallowtext.functional import to_tensor
    >>> to_tensor([[1, 2, 3], [4]], padding_value=0)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    per_sequence("to_tensor", input, _numbers)
    if not input or not isinstance(input[0], list):
        return tallow.tensor(input, dtype=dtype)
    longest = max(map(len, input))
    if padding_value is None and any(len(sequence) != longest for sequence in input):
        raise ArgumentError(
            "to_tensor: expected sequences of one length, or a padding_value, got lengths from "
            f"{min(map(len, input))} to {longest}"
        )
    padded = [sequence + [padding_value] * (longest - len(sequence)) for sequence in input]
    return tallow.tensor(padded, dtype=dtype)


def _numbers(sequence):
    if sequence and not isinstance(sequence[0], int):
        raise TypeMismatchError("to_tensor: expected numbers of tokens, got str; use a Vocab first")


def truncate(input, max_seq_len):
    """The first `max_seq_len` tokens, of each sequence in a batch."""
    return per_sequence("truncate", input, lambda tokens: tokens[:max_seq_len])


def add_token(input, token_id, begin=True):
    """A token put before the others, or behind them, in each sequence of a batch.

    >>> from tallowtext.functional import add_token
    >>> add_token([["a", "b"], ["c"]], "<eos>", begin=False)
    [['a', 'b', '<eos>'], ['c', '<eos>']]
    """

    def add(tokens):
        if tokens and type(tokens[0]) is not type(token_id):
            raise TypeMismatchError(
                f"add_token: expected a token of type {type(tokens[0]).__name__}, got {token_id!r}"
            )
        return [token_id, *tokens] if begin else [*tokens, token_id]

    return per_sequence("add_token", input, add)


def str_to_int(input):
    """Texts of numbers as ints, in a sequence or a batch."""
    return per_sequence("str_to_int", input, lambda tokens: [int(token) for token in tokens])
