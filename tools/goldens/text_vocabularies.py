"""Trains the small vocabularies that tests/text compares tokenizers with.

It takes the packages tokenizers and sentencepiece:

python tools/goldens/text_vocabularies.py
"""

import importlib.util
import io
import json
import tempfile
import unicodedata
from pathlib import Path

import sentencepiece
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

TESTS = Path(__file__).parents[2] / "tests" / "text"
FOLDER = TESTS / "golden" / "vocabularies"


def texts():
    """What the vocabularies are trained on."""
    spec = importlib.util.spec_from_file_location("parity_cases", TESTS / "parity_cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    english = (TESTS.parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return cases.SENTENCES * 5 + english.splitlines()


def trained(model, trainer, before, normalizer=None):
    """The parts of a model of `tokenizers`, as its JSON has them."""
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = before
    if normalizer:
        made.normalizer = normalizer
    made.train_from_iterator(texts(), trainer)
    return json.loads(made.to_str())["model"]


def write(name, lines):
    (FOLDER / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def bpe(name, first_line, vocab_name=None, suffix=None, level=True, size=1200):
    before = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if level else [],
        end_of_word_suffix=suffix or "",
        special_tokens=["<|endoftext|>"] if level else ["<unk>", "<s>"],
        show_progress=False,
    )
    before = before if level else pre_tokenizers.WhitespaceSplit()
    model = trained(models.BPE(), trainer, before, normalizers.Lowercase() if suffix else None)
    write(name, [first_line, *(" ".join(pair) for pair in model["merges"])])
    if vocab_name:
        content = json.dumps(model["vocab"], ensure_ascii=False, indent=0)
        (FOLDER / vocab_name).write_text(content + "\n", encoding="utf-8")


def word_pieces():
    trainer = trainers.WordPieceTrainer(
        vocab_size=900, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    normalizer = normalizers.BertNormalizer()
    model = trained(
        models.WordPiece(unk_token="[UNK]"), trainer, pre_tokenizers.BertPreTokenizer(), normalizer
    )
    write("bert.txt", sorted(model["vocab"], key=model["vocab"].get))


def rules():
    """Rules of compatibility normalisation (NFKC), those of a few blocks of Unicode."""
    blocks = (0xA0, 0x180), (0x2000, 0x2030), (0x2150, 0x2190), (0xFB00, 0xFB07), (0xFF01, 0xFF9F)
    for low, high in blocks:
        for char in map(chr, range(low, high)):
            wanted = unicodedata.normalize("NFKC", char)
            parts = unicodedata.normalize("NFD", char)
            wanted = " " if wanted.isspace() else wanted
            if wanted != char:
                yield char, wanted
            if len(parts) > 1:
                yield parts, wanted
    yield "\t", " "
    yield "\u200b", ""


def sentencepieces():
    def in_hexadecimal(text):
        return " ".join(f"{ord(char):X}" for char in text)

    kinds = {
        "unigram": {"user_defined_symbols": ["<ａ>", "[sep]"]},
        "bpe": {"byte_fallback": True, "remove_extra_whitespaces": False},
    }
    for kind, options in kinds.items():
        made = io.BytesIO()
        with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as table:
            lines = {in_hexadecimal(a): in_hexadecimal(b) for a, b in rules()}
            table.write("".join(f"{a}\t{b}\n" for a, b in lines.items()))
            table.flush()
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts()),
                model_writer=made,
                model_type=kind,
                vocab_size=800,
                normalization_rule_tsv=table.name,
                hard_vocab_limit=False,
                minloglevel=2,
                **options,
            )
        (FOLDER / f"{kind}.model").write_bytes(made.getvalue())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    bpe("gpt2.bpe", "#version: 0.2", "gpt2.json")
    bpe("clip.bpe", "bpe_simple_vocab", suffix="</w>", size=1200)
    bpe("char.bpe", "#version: 0.2", "char.json", suffix="</w>", level=False, size=800)
    word_pieces()
    sentencepieces()
    for path in sorted(FOLDER.iterdir()):
        print(path.name, path.stat().st_size, "bytes")
