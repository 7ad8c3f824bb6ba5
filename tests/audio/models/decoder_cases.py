"""What CTC beam search is compared on, with flashlight's decoder or with tallowaudio's.

`tools/goldens/audio_models.py` records what torchaudio 2.11 with flashlight-text and kenlm gives.
"""

import numpy as np

TOKENS = ["-", "|", "a", "b", "c", "d"]
LEXICON = """\
ab a b |
abc a b c |
ba b a |
cab c a b |
d d |
dad d a d |
a a |
bad b a d |
bad b b a d |
"""
ARPA = """\
\\data\\
ngram 1=11
ngram 2=7
ngram 3=3

\\1-grams:
-2.5\t<unk>
-99\t<s>\t-0.4
-1.1\t</s>
-0.9\tab\t-0.3
-1.4\tabc\t-0.2
-1.2\tba\t-0.25
-1.0\tcab\t-0.1
-0.8\td\t-0.5
-1.6\tdad\t-0.15
-0.7\ta\t-0.45
-1.3\tbad

\\2-grams:
-0.3\t<s> ab\t-0.1
-0.5\tab cab\t-0.2
-0.4\tcab d\t-0.3
-0.6\td dad
-0.2\tdad </s>
-0.55\ta bad
-0.35\tbad a

\\3-grams:
-0.1\t<s> ab cab
-0.15\tab cab d
-0.2\tcab d dad

\\end\\
"""
TOKEN_ARPA = """\
\\data\\
ngram 1=8
ngram 2=4

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.2
-1.0\t</s>
-0.5\t|\t-0.1
-0.6\ta\t-0.3
-0.7\tb\t-0.2
-0.8\tc\t-0.1
-0.9\td

\\2-grams:
-0.2\ta b\t0
-0.3\tb a
-0.4\t| c
-0.25\t<s> |

\\end\\
"""
CASES = {
    "free": {},
    "free added": {"log_add": True, "beam_size": 8, "nbest": 4},
    "free silent": {"sil_score": -1.0, "beam_size_token": 3, "nbest": 3},
    "free narrow": {"beam_threshold": 3, "nbest": 3},
    # without lm_dict torchaudio 2.11 takes the model's tokens for others
    "free model": {"lm": "tokens.arpa", "lm_dict": "tokens.txt", "lm_weight": 0.7, "nbest": 3},
    "lexicon": {"lexicon": "lexicon.txt", "nbest": 4},
    "lexicon added": {"lexicon": "lexicon.txt", "log_add": True, "word_score": -0.5, "nbest": 3},
    "lexicon model": {"lexicon": "lexicon.txt", "lm": "words.arpa", "nbest": 5},
    "lexicon weighted": {
        "lexicon": "lexicon.txt", "lm": "words.arpa", "lm_weight": 0.5, "word_score": 1.0,
        "sil_score": 0.3, "beam_size": 10, "nbest": 3,
    },
    "lexicon unknown": {
        "lexicon": "lexicon.txt", "lm": "words.arpa", "unk_score": -1.0, "nbest": 3, "lm_weight": 1,
    },
    "lexicon narrow": {
        "lexicon": "lexicon.txt", "lm": "words.arpa", "beam_size": 3, "beam_size_token": 3,
        "beam_threshold": 8,
    },
}  # fmt: skip


def write_files(folder):
    texts = {"lexicon.txt": LEXICON, "words.arpa": ARPA, "tokens.arpa": TOKEN_ARPA}
    texts["tokens.txt"] = "\n".join(TOKENS)
    for name, text in texts.items():
        (folder / name).write_text(text)


def emissions():
    """Log probabilities (4, 24, tokens), float32, from sure to unsure."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 24, len(TOKENS))) * np.array([6.0, 3.0, 2.0, 1.0])[:, None, None]
    x[..., 0] += 1.0
    x -= x.max(-1, keepdims=True)
    x -= np.log(np.exp(x).sum(-1, keepdims=True))
    return x.astype(np.float32)


def evaluate(name, folder, ctc_decoder, torch):
    """(tokens, words, score, timesteps) of each hypothesis for each sound, as plain values."""
    options = {
        key: str(folder / value) if key in ("lexicon", "lm", "lm_dict") else value
        for key, value in CASES[name].items()
    }
    decoder = ctc_decoder(**{"lexicon": None, "tokens": TOKENS} | options)
    found = decoder(torch.from_numpy(emissions()), torch.tensor([24, 24, 20, 17]))
    return [
        [(h.tokens.tolist(), h.words, round(h.score, 4), h.timesteps.tolist()) for h in best]
        for best in found
    ]
