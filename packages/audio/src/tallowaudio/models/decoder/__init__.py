"""From scores of labels to text: greedily, or by beam search with a lexicon and a model."""

from tallowaudio.models.decoder.ctc_decoder import (
    CTCDecoder,
    CTCDecoderLM,
    CTCDecoderLMState,
    CTCHypothesis,
    ctc_decoder,
    download_pretrained_files,
)
from tallowaudio.models.decoder.greedy import ctc_greedy
