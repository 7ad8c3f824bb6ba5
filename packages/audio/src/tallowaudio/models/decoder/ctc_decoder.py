"""CTC beam search with a lexicon and a language model."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

import tallow
from tallow import hub
from tallow.errors import ArgumentError, DeviceError, DtypeError, ShapeError, describe
from tallowaudio.models.decoder.language_model import NGram, NoModel, read_arpa
from tallowaudio.models.decoder.lexicon import Dictionary, Tree, read_lexicon
from tallowaudio.models.decoder.search import Options, Search

ASSETS = "https://download.pytorch.org/torchaudio/decoder-assets"


class CTCHypothesis(NamedTuple):
    """What was heard: tokens (L,) of which a silence begins and one ends it, the words if there is
    a lexicon, the score, and the frame (L,) of each token.
    """

    tokens: tallow.Tensor
    words: list[str]
    score: float
    timesteps: tallow.Tensor


class PretrainedFiles(NamedTuple):
    """The paths of a lexicon, of tokens, and of a language model or None."""

    lexicon: str
    tokens: str
    lm: str | None


class CTCDecoderLMState:
    """A state of one's own language model; `child` is that after another word."""

    def __init__(self):
        self.children = {}

    def child(self, usr_index):
        """The state after word `usr_index`, always the same."""
        return self.children.setdefault(usr_index, CTCDecoderLMState())


class CTCDecoderLM:
    """The base of one's own language models: log10 probabilities, one state and word at a time."""

    def start(self, start_with_nothing):
        """The state at the beginning."""
        raise NotImplementedError

    def score(self, state, usr_token_idx):
        """The state after a word, and the word's score."""
        raise NotImplementedError

    def finish(self, state):
        """The state after the end, and the end's score."""
        raise NotImplementedError


class _OwnModel:
    """A `CTCDecoderLM` for the search, which numbers its states."""

    def __init__(self, model):
        self.model = model
        self.states = []
        self.known = {}

    def start(self):
        self.states.append(self.model.start(False))
        return len(self.states) - 1

    def score(self, states, words):
        found = []
        for key in zip(states.tolist(), words.tolist(), strict=True):
            if key not in self.known:
                state, score = self.model.score(self.states[key[0]], key[1])
                self.known[key] = score, len(self.states)
                self.states.append(state)
            found.append(self.known[key])
        scores, after = zip(*found, strict=True) if found else ((), ())
        return np.array(scores, float), np.array(after, np.int64)

    def finish(self, states):
        return np.array([self.model.finish(self.states[state])[1] for state in states.tolist()])


class CTCDecoder:
    """Emissions to text, built by `ctc_decoder`."""

    def __init__(
        self, nbest, lexicon, word_dict, tokens_dict, lm, options, blank, silence, unknown
    ):
        self.nbest = nbest
        self.word_dict = word_dict
        self.tokens_dict = tokens_dict
        self.blank = tokens_dict.get_index(blank)
        self.silence = tokens_dict.get_index(silence)
        self.options = options
        self.lm = lm
        self.tree, self.unknown = None, None
        words = range(len(tokens_dict))
        if lexicon is not None:
            self.unknown = word_dict.get_index(unknown)
            count = len(word_dict)
            alone, _ = lm.score(np.full(count, lm.start()), np.arange(count))
            self.tree = Tree(lexicon, word_dict.indices, alone, len(tokens_dict))
        elif word_dict is not None:
            words = [word_dict.get_index(token) for token in tokens_dict.entries]
        self.words_of_tokens = np.array(words)
        self.decode_begin()

    def _search(self):
        return Search(
            self.options, self.lm, self.words_of_tokens, self.tree, self.unknown, self.silence,
            self.blank,
        )  # fmt: skip

    def decode_begin(self):
        """Begin a sound that comes in pieces."""
        self.search = self._search()

    def decode_step(self, emissions):
        """Take the log probabilities (frames, tokens) of more frames."""
        for emission in self._checked(emissions, "(frames, tokens)").numpy():
            self.search.step(emission)

    def decode_end(self):
        """End the sound; `get_final_hypothesis` has what was heard."""
        self.search.finish()

    def get_final_hypothesis(self):
        """The best hypotheses, a list of `CTCHypothesis`."""
        return [self._hypothesis(*found) for found in self.search.best(self.nbest)]

    def __call__(self, emissions, lengths=None):
        """The best hypotheses for each of a batch, lists of `CTCHypothesis`.

        `emissions` (N, frames, tokens) are log probabilities, float32 on the CPU; `lengths` (N,) in
        frames.
        """
        emissions = self._checked(emissions, "(N, frames, tokens)")
        frames = emissions.shape[1]
        lengths = [frames] * len(emissions) if lengths is None else lengths.tolist()
        if len(lengths) != len(emissions) or max(lengths) > frames:
            raise ShapeError(
                f"CTCDecoder: expected {len(emissions)} lengths up to {frames}, got {lengths}"
            )
        found = []
        for emission, length in zip(emissions, lengths, strict=True):
            self.decode_begin()
            self.decode_step(emission[:length])
            self.decode_end()
            found.append(self.get_final_hypothesis())
        return found

    def _checked(self, emissions, shape):
        if emissions.ndim != shape.count(",") + 1 or emissions.shape[-1] != len(self.tokens_dict):
            raise ShapeError(
                f"CTCDecoder: expected emissions {shape} of {len(self.tokens_dict)} tokens, got "
                f"{describe(emissions)}"
            )
        if emissions.dtype != tallow.float32:
            raise DtypeError(f"CTCDecoder: expected float32 emissions, got {describe(emissions)}")
        if emissions.device.type != "cpu":
            raise DeviceError(f"CTCDecoder: expected emissions on the CPU, got {emissions.device}")
        return emissions.detach()

    def _hypothesis(self, score, path, words):
        first = np.r_[True, path[1:] != path[:-1]] & (path != self.blank)
        return CTCHypothesis(
            tallow.from_numpy(path[first]),
            [self.word_dict.get_entry(word) for word in words],
            score,
            tallow.from_numpy(np.flatnonzero(first).astype(np.int32)),
        )

    def idxs_to_tokens(self, idxs):
        """The tokens of numbers (L,), a list of strings."""
        return [self.tokens_dict.get_entry(index) for index in idxs.tolist()]


def ctc_decoder(
    lexicon, tokens, lm=None, lm_dict=None, nbest=1, beam_size=50, beam_size_token=None,
    beam_threshold=50, lm_weight=2, word_score=0, unk_score=float("-inf"), sil_score=0,
    log_add=False, blank_token="-", sil_token="|", unk_word="<unk>",
):  # fmt: skip
    """A `CTCDecoder`.

    `lexicon` is a file of words and their tokens, None for any sequence of tokens. `tokens` are a
    file or a list, `lm` an ARPA file (words with a lexicon, else tokens), a `CTCDecoderLM` or None;
    `lm_dict` a file of the words that its numbers mean. `beam_size` hypotheses are kept that score
    at most `beam_threshold` less than the best; `beam_size_token` tokens are tried in a frame.
    Scores are log probabilities plus `lm_weight` times the model's log10 ones, `word_score` a word,
    `unk_score` an unknown word, `sil_score` a silence; `log_add` adds up what is merged.

    >>> import tallow
    >>> from tallowaudio.models.decoder import ctc_decoder
    >>> decoder = ctc_decoder(None, ["-", "|", "a", "b"])
    >>> scores = tallow.tensor([[[0.1, 0.1, 0.7, 0.1], [0.6, 0.1, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]])
    >>> best = decoder(scores.log())[0][0]
    >>> decoder.idxs_to_tokens(best.tokens), best.timesteps
    (['|', 'a', 'b', '|'], tensor([0, 1, 3, 4], dtype=tallow.int32))
    """
    tokens_dict = Dictionary(tokens) if isinstance(tokens, list) else Dictionary.load(tokens)
    words = None if lexicon is None else read_lexicon(lexicon, tokens_dict)
    options = Options(
        beam_size, beam_size_token or len(tokens_dict), beam_threshold, lm_weight, word_score,
        unk_score, sil_score, log_add,
    )  # fmt: skip
    from_file = isinstance(lm, str) or hasattr(lm, "__fspath__")
    word_dict = None
    if lm_dict is not None:
        word_dict = Dictionary.load(lm_dict)
    elif words is not None:
        word_dict = Dictionary([*words, unk_word])
    elif from_file:
        word_dict = Dictionary([*tokens_dict.entries, unk_word])
    if lm is None:
        lm = NoModel()
    elif from_file:
        lm = NGram(read_arpa(lm), word_dict.entries)
    else:
        lm = _OwnModel(lm)
    return CTCDecoder(
        nbest, words, word_dict, tokens_dict, lm, options, blank_token, sil_token, unk_word
    )


def download_pretrained_files(model):
    """The files of "librispeech", "librispeech-3-gram" or "librispeech-4-gram", as a named tuple.

    The models are in KenLM's binary format, which `ctc_decoder` does not read: use an ARPA file.
    """
    known = ("librispeech", "librispeech-3-gram", "librispeech-4-gram")
    if model not in known:
        raise ArgumentError(f"download_pretrained_files: expected one of {known}, got {model!r}")

    def fetched(name):
        path = Path(hub.get_dir(), "torchaudio", "decoder-assets", model, name)
        if not path.exists():
            hub.download_url_to_file(f"{ASSETS}/{model}/{name}", path)
        return str(path)

    lm = None if model == known[0] else fetched("lm.bin")
    return PretrainedFiles(fetched("lexicon.txt"), fetched("tokens.txt"), lm)
