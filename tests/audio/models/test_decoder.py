"""CTC decoding: what flashlight's decoder finds, and what files that do not fit are met with."""

import gzip
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowaudio.models import decoder as decoders
from tallowaudio.models.decoder import CTCDecoderLM, CTCDecoderLMState, ctc_decoder, ctc_greedy

_spec = importlib.util.spec_from_file_location(
    "ctc_decoder_cases", Path(__file__).with_name("decoder_cases.py")
)
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "ctc_decoder.json").read_text())


@pytest.fixture
def files(tmp_path):
    cases.write_files(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", cases.CASES)
def test_hypotheses_are_those_of_flashlight(name, files):
    found = cases.evaluate(name, files, ctc_decoder, tallow)
    for best, expected in zip(found, GOLDEN[name], strict=True):
        for (*heard, score, times), (*wanted, wanted_score, wanted_times) in zip(
            best, expected, strict=True
        ):
            assert (heard, times) == (wanted, wanted_times)
            assert score == pytest.approx(wanted_score, abs=2e-3)


def test_a_sound_in_pieces_gives_what_it_gives_whole(files):
    decoder = ctc_decoder(str(files / "lexicon.txt"), cases.TOKENS, str(files / "words.arpa"))
    emissions = tallow.from_numpy(cases.emissions()[:1])
    (whole,) = decoder(emissions)
    decoder.decode_begin()
    for piece in emissions[0].split(7):
        decoder.decode_step(piece)
    decoder.decode_end()
    (pieces,) = decoder.get_final_hypothesis()
    assert pieces.words == whole[0].words and pieces.score == whole[0].score
    assert decoder.idxs_to_tokens(pieces.tokens)[0] == "|"


def test_a_gzipped_model_is_the_same(files):
    packed = files / "words.arpa.gz"
    packed.write_bytes(gzip.compress((files / "words.arpa").read_bytes()))
    emissions = tallow.from_numpy(cases.emissions())
    scores = [
        ctc_decoder(str(files / "lexicon.txt"), cases.TOKENS, str(files / lm))(emissions)[2][
            0
        ].score
        for lm in ("words.arpa", "words.arpa.gz")
    ]
    assert scores[0] == scores[1]


class Unigrams(CTCDecoderLM):
    """Knows words by how often they are said, whatever came before."""

    def __init__(self, logs):
        self.logs = logs

    def start(self, start_with_nothing):
        return CTCDecoderLMState()

    def score(self, state, usr_token_idx):
        return state.child(usr_token_idx), self.logs[usr_token_idx]

    def finish(self, state):
        return state, 0.0


def test_ones_own_language_model_chooses(files):
    lexicon = files / "two.txt"
    lexicon.write_text("left a b |\nright b a |\n")
    emissions = tallow.zeros(1, 6, 6).log_softmax(-1)
    for logs, expected in (([-0.1, -9.0, -9.0], "left"), ([-9.0, -0.1, -9.0], "right")):
        decoder = ctc_decoder(str(lexicon), cases.TOKENS, Unigrams(logs), word_score=5)
        assert set(decoder(emissions)[0][0].words) == {expected}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\\data\\\nngram 1=1\n\\1-grams:\nhm a\n\\end\\\n", "line 4: expected a log prob.*'hm a'"),
        ("\\data\\\nngram 1=1\n\\1-grams:\n-1 a b c\n\\end\\\n", "line 4: expected a log prob"),
        ("\\data\\\nngram 1=2\n\\1-grams:\n-1 a\n\\end\\\n", "expected 2 1-grams, .*got 1"),
        ("\\data\\\nngram 1=1\n\\1-grams:\n-1 a\n", "is it whole"),
        ("\\data\\\nngram one=1\n", "line 2: expected 'ngram N=COUNT'"),
        ("\\data\\\nngram 1=1\n\\2-grams:\n", r"line 3: expected \\1-grams:"),
        ("\\data\\\n-1 a\n", "line 2: expected n-grams"),
        ("", "is it whole"),
        ("mmap lm http://kheafield.com/code format version 5", "binary format"),
    ],
)
def test_broken_language_models_are_told_with_the_line(text, message, files):
    path = files / "broken.arpa"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        ctc_decoder(None, cases.TOKENS, str(path))
    assert "broken.arpa" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a a |\nz a z |\n", "line 2: .*'z'"), ("a a |\n\nlonely\n", "line 3: .*'lonely', got none")],
)
def test_broken_lexicons_are_told_with_the_line(text, message, files):
    path = files / "broken.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        ctc_decoder(str(path), cases.TOKENS)


def test_a_gram_without_its_beginning_is_told(files):
    path = files / "odd.arpa"
    path.write_text(
        "\\data\\\nngram 1=1\nngram 2=1\n\\1-grams:\n-1 a\n\\2-grams:\n-1 b a\n\\end\\\n"
    )
    with pytest.raises(ValueError, match="expected the n-gram 'b'"):
        ctc_decoder(None, cases.TOKENS, str(path))


def test_what_does_not_fit_is_refused():
    decoder = ctc_decoder(None, cases.TOKENS)
    with pytest.raises(RuntimeError, match=r"expected emissions \(N, frames, tokens\) of 6 tokens"):
        decoder(tallow.zeros(2, 5, 7))
    with pytest.raises(NotImplementedError, match="float32"):
        decoder(tallow.zeros(2, 5, 6, dtype=tallow.float64))
    with pytest.raises(RuntimeError, match="2 lengths up to 5"):
        decoder(tallow.zeros(2, 5, 6), tallow.tensor([5, 6]))
    with pytest.raises(ValueError, match="expected '-' among them"):
        ctc_decoder(None, ["a", "b"])
    with pytest.raises(ValueError, match="expected one of"):
        decoders.download_pretrained_files("librispeech-5-gram")
    with pytest.raises(ValueError, match="expected 3 labels, got 2"):
        ctc_greedy(tallow.zeros(1, 4, 3), None, "-a")


def test_the_decoder_for_cuda_is_left_out():
    with pytest.raises(AttributeError, match="use ctc_decoder"):
        decoders.cuda_ctc_decoder  # noqa: B018
    assert not hasattr(decoders, "nonsense")


def test_greedy_leaves_out_repetitions_blanks_and_padding():
    best = tallow.tensor([[1, 1, 0, 1, 2, 2], [0, 2, 0, 0, 2, 1]])
    scores = tallow.nn.functional.one_hot(best, 3)
    assert ctc_greedy(scores, tallow.tensor([6, 4]), "-ab") == ["aab", "b"]
    assert ctc_greedy(scores, None, ["<b>", "x", "yy"]) == ["xxyy", "yyyyx"]


def test_greedy_and_a_beam_of_one_agree_where_scores_are_sure():
    emissions = cases.emissions()[:1] * np.float32(20)
    decoder = ctc_decoder(None, cases.TOKENS, beam_size=1)
    (best,) = decoder(tallow.from_numpy(emissions))[0]
    heard = "".join(decoder.idxs_to_tokens(best.tokens[1:-1]))
    (greedy,) = ctc_greedy(tallow.from_numpy(emissions), None, cases.TOKENS)
    assert heard.strip("|") == greedy.strip("|")
