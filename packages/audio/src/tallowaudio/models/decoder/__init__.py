"""From scores of labels to text: greedily, or by beam search with a lexicon and a model."""

from tallow.errors import LeftOutError
from tallowaudio.models.decoder.ctc_decoder import (
    CTCDecoder,
    CTCDecoderLM,
    CTCDecoderLMState,
    CTCHypothesis,
    ctc_decoder,
    download_pretrained_files,
)
from tallowaudio.models.decoder.greedy import ctc_greedy


def __getattr__(name):
    if name in ("cuda_ctc_decoder", "CUCTCDecoder", "CUCTCHypothesis"):
        raise LeftOutError(
            f"tallowaudio.models.decoder.{name}: left out, it runs on CUDA alone; use ctc_decoder"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
