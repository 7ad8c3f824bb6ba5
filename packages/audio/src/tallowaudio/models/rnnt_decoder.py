"""Beam search for transducers (Graves, 2012)."""

import math

import numpy as np

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe

# tokens (the blank first), the predictor's output for the last, its state, and the score
Hypothesis = tuple[list[int], tallow.Tensor, list[list[tallow.Tensor]], float]


def _by_length(hypothesis):
    return hypothesis[3] / (len(hypothesis[0]) + 1)


def _batched(states):
    """The states of hypotheses, side by side."""
    return [
        [tallow.cat(parts) for parts in zip(*layer, strict=True)]
        for layer in zip(*states, strict=True)
    ]


class RNNTBeamSearch(nn.Module):
    """The likeliest symbol sequences of an `RNNT`, for one utterance, whole or as it comes.

    `blank` is the symbol that ends a frame, `temperature` divides the scores. Hypotheses are kept
    by `hypo_sort_key`, by default the score by length; a frame gets at most `step_max_tokens`.
    """

    def __init__(self, model, blank, temperature=1.0, hypo_sort_key=None, step_max_tokens=100):
        super().__init__()
        self.model = model
        self.blank = blank
        self.temperature = temperature
        self.hypo_sort_key = _by_length if hypo_sort_key is None else hypo_sort_key
        self.step_max_tokens = step_max_tokens

    @tallow.no_grad()
    def forward(self, input, length, beam_width):
        """The `beam_width` best hypotheses, the best first, of features (time, dim) or (1, time,
        dim); `length` () or (1,) as in `RNNT.transcribe`.
        """
        heard, _ = self.model.transcribe(*self._single(input, length))
        return self._search(heard, None, beam_width)

    @tallow.no_grad()
    def infer(self, input, length, beam_width, state=None, hypothesis=None):
        """As `forward` for the next segment, given what the call before returned: the hypotheses
        and the state.
        """
        heard, _, state = self.model.transcribe_streaming(*self._single(input, length), state)
        return self._search(heard, hypothesis, beam_width), state

    def _single(self, input, length):
        if not (input.ndim == 2 or input.ndim == 3 and len(input) == 1):
            raise ShapeError(
                f"RNNTBeamSearch: expected features (time, dim) or (1, time, dim), got "
                f"{describe(input)}"
            )
        if length.numel() != 1 or length.ndim > 1:
            raise ShapeError(
                f"RNNTBeamSearch: expected a length () or (1,), got {describe(length)}"
            )
        return input.reshape(-1, *input.shape[-2:]), length.reshape(1)

    def _predict(self, tokens, state):
        ones = tallow.ones(len(tokens), dtype=tallow.int64)
        return self.model.predict(tallow.tensor(tokens)[:, None], ones, state)

    def _next(self, heard, hypotheses):
        """Log probabilities (hypotheses, symbols) of what comes next, on the host."""
        said = tallow.stack([hypothesis[1] for hypothesis in hypotheses])
        one = tallow.ones(1, dtype=tallow.int64)
        scores, _, _ = self.model.join(heard, one, said, one.expand(len(hypotheses)))
        return (scores[:, 0, 0] / self.temperature).log_softmax(-1).cpu().numpy()

    def _extended(self, hypotheses, scores, beam_width, floor):
        """The best hypotheses with one symbol more, those that score over `floor`."""
        scores = np.array([h[3] for h in hypotheses], scores.dtype)[:, None] + scores
        scores[:, self.blank] = -np.inf
        best = np.argsort(-scores.ravel(), kind="stable")[:beam_width]
        best = best[scores.ravel()[best] > floor]
        if len(best) == 0:
            return []
        rows, tokens = np.divmod(best, scores.shape[1])
        before = [hypotheses[row] for row in rows]
        said, _, states = self._predict(tokens.tolist(), _batched([h[2] for h in before]))
        return [
            (
                [*hypothesis[0], int(token)],
                said[i],
                [[part[i : i + 1] for part in layer] for layer in states],
                float(scores.ravel()[best[i]]),
            )
            for i, (hypothesis, token) in enumerate(zip(before, tokens, strict=True))
        ]

    def _frame(self, heard, going, beam_width):
        """The hypotheses after a frame (1, 1, dim): those `going` on, until each has a blank."""
        ended = {}
        for count in range(self.step_max_tokens + 1):
            scores = self._next(heard, going)
            for hypothesis, blank in zip(going, scores[:, self.blank], strict=True):
                key = tuple(hypothesis[0])
                score = float(np.float32(hypothesis[3]) + blank)
                if key in ended:
                    score = float(np.logaddexp(ended[key][3], score))
                ended[key] = (*hypothesis[:3], score)
            reached = sorted((h[3] for h in ended.values()), reverse=True)
            floor = reached[beam_width - 1] if len(reached) >= beam_width else -math.inf
            if count < self.step_max_tokens:
                going = self._extended(going, scores, beam_width, floor)
            if not going:
                break
        return sorted(ended.values(), key=self.hypo_sort_key, reverse=True)[:beam_width]

    def _search(self, heard, hypotheses, beam_width):
        if beam_width < 1:
            raise ArgumentError(f"RNNTBeamSearch: expected beam_width from 1 up, got {beam_width}")
        if hypotheses is None:
            said, _, state = self._predict([self.blank], None)
            hypotheses = [([self.blank], said[0], state, 0.0)]
        for t in range(heard.shape[1]):
            hypotheses = self._frame(heard[:, t : t + 1], hypotheses, beam_width)
        return hypotheses
