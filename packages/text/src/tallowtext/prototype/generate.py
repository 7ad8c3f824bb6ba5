"""`GenerationUtils`, which makes a model write."""

from tallow import nn
from tallow.errors import ArgumentError

__all__ = ["GenerationUtils"]


class GenerationUtils(nn.Module):
    """A model that is asked in torchtext's way to write: `T5Model`, `GPT2Model`, or one like them.

    Like them is a model with their `generate(tokens, max_new_tokens, num_beams, eos_token_id=...,
    pad_token_id=...)`. What an encoder-decoder writes begins with the padding token.

    >>> import tallow
    >>> from tallowtext.models import T5Conf, T5Model
    >>> from tallowtext.prototype.generate import GenerationUtils
    >>> model = T5Model(T5Conf(False, True, 16, 8, 2, 1, 1, 32, vocab_size=50)).eval()
    >>> tuple(GenerationUtils(model).generate(tallow.tensor([[7, 8, 1]]), max_length=2).shape)
    (1, 2)
    """

    def __init__(self, model, is_encoder_decoder=True):
        super().__init__()
        self.model = model
        self.is_encoder_decoder = is_encoder_decoder

    def generate(self, inputs, num_beams=None, max_length=256, pad_idx=0, eos_idx=1):
        """Tokens (N, up to `max_length`): the likeliest each time, or the best of a beam search."""
        new = max_length - (1 if self.is_encoder_decoder else inputs.shape[-1])
        if new < 1:
            raise ArgumentError(
                f"generate: expected a max_length above what is there, got {max_length}"
            )
        return self.model.generate(
            inputs, new, num_beams or 1, eos_token_id=eos_idx, pad_token_id=pad_idx
        )
