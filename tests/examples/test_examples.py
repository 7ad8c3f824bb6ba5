"""Each example explains itself, and runs a few steps to its picture."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDS = {"reinforcement_learning": ["gymnasium"], "vae": ["sklearn"]}
SCRIPTS = {"audio_effects": "effects.py"}  # where it is not train.py
WRITTEN = {  # where it is another file
    "audio_effects": "01.wav", "sentiment": "cnn.safetensors", "word_vectors": "vectors.txt",
}  # fmt: skip

# An example, arguments that make it short, the pictures it draws, and what it prints.
RUNS = [
    ("audio_effects", "", ["effects.png"], r"03.wav  echo: 3.30 s, -[\d.]+ dB"),
    ("audio_effects", "--chain reverse --seed 3", ["effects.png"], r"01.wav  reverse: 3.00 s"),
    ("image_classification", "--epochs 1 --model mlp", ["curves.png", "predictions.png"],
     r"accuracy [\d.]+%, and the same from"),
    ("language_model", "--data TEXT --steps 3 --length 16 --sample 10", ["curves.png"],
     r"perplexity [\d.]+ on 202 held-out characters"),
    ("language_model", "--data TEXT --steps 3 --length 8 --tokens word --model transformer",
     ["curves.png"], r"perplexity [\d.]+ on \d+ held-out words"),
    ("language_model", "--data TEXT --steps 3 --length 8 --tokens subword --model gpt2",
     ["curves.png"], r"perplexity [\d.]+ on \d+ held-out subwords"),
    ("news_classification", "--data NEWS --epochs 8 --buckets 4096", ["confusion.png"],
     r"accuracy (100|9\d)\.\d+%"),
    ("reinforcement_learning", "--episodes 5 --test-episodes 2", ["returns.png"],
     r"mean return over 2 more episodes: \d+"),
    ("reinforcement_learning", "--episodes 30 --test-episodes 2 --algorithm dqn", ["returns.png"],
     r"30 episodes of training"),
    ("source_separation", "--generated --steps 2 --batch-size 2 --mixtures 10", ["separated.png"],
     r"SI-SDR improvement: -?[\d.]+ dB"),
    ("speech_commands", "--generated --epochs 1", ["confusion.png", "curves.png", "sounds.png"],
     r"accuracy on b, never heard: [\d.]+%"),
    ("sentiment", "--epochs 1 --models bag cnn", ["curves.png"], r"cnn +[\d,]+ +[\d.]+ +[\d.]+%"),
    ("speech_recognition", "--generated --steps 12 --batch-size 2 --strings 4", ["alignment.png"],
     r"character error rate on recordings to be tested on: [\d.]+%"),
    ("time_series", "--count 800 --epochs 1 --past 48", ["forecasts.png"],
     r"mean absolute error, forecast: [\d.]+"),
    ("time_series", "--count 800 --epochs 1 --past 48 --model conv", ["forecasts.png"],
     r"mean absolute error, as a day ago: [\d.]+"),
    ("word_vectors", "--data TEXT --epochs 1 --near 3", ["neighbours.png"],
     r"quick: \w+, \w+, \w+\n"),
    ("word_vectors", "--data TEXT --epochs 1 --near 3 --model glove --show fox dog",
     ["neighbours.png"], r"8 words from 405"),
    ("translation", "--pairs 128 --held-out 20 --epochs 1 2.march.1987", ["attention.png"],
     r"exact match on 20 held-out dates: [\d.]+%"),
    ("voice_activity", "--generated --steps 2 --batch-size 2 --strings 3", ["detected.png"],
     r"[\d.]+ ms for a frame of 30 ms"),
    ("vae", "--epochs 1 --width 32", ["pictures.png"], r"loss [\d.]+ nats a held-out picture"),
]  # fmt: skip


def run(name, *arguments):
    """The finished process of an example, which must warn of nothing."""
    for module in ("matplotlib", "tqdm", *NEEDS.get(name, [])):
        pytest.importorskip(module)
    script = EXAMPLES / name / SCRIPTS.get(name, "train.py")
    command = [sys.executable, "-W", "error:::tallow", script, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


@pytest.mark.parametrize("name", sorted({name for name, *_ in RUNS}))
def test_help(name):
    found = run(name, "--help")
    assert found.returncode == 0 and f"python {SCRIPTS.get(name, 'train.py')}" in found.stdout
    assert {"--seed", "--out"} <= set(re.findall(r"--\w+", found.stdout))


@pytest.mark.parametrize("name, arguments, pictures, printed", RUNS)
def test_runs(name, arguments, pictures, printed, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog.\n" * 45)
    news = tmp_path / "news.csv"
    rows = [("1", "election", "the vote"), ("2", "match", "the goal"), ("3", "shares", "a deal")]
    news.write_text("".join(f'"{a}","{b}","{c}"\n' for a, b, c in rows * 20))
    arguments = arguments.replace("TEXT", str(text)).replace("NEWS", str(news)).split()
    found = run(name, *arguments, "--out", str(tmp_path / "out"))
    assert found.returncode == 0, found.stderr
    assert re.search(printed, found.stdout), found.stdout
    for picture in pictures:
        image = pytest.importorskip("PIL.Image").open(tmp_path / "out" / picture)
        assert min(image.size) > 100 and len(set(image.convert("L").tobytes())) > 2
    assert (tmp_path / "out" / WRITTEN.get(name, "model.safetensors")).stat().st_size > 1000


def test_a_seed_gives_the_same_model(tmp_path):
    found = []
    for place in ("a", "b"):
        done = run("vae", "--epochs", "1", "--width", "32", "--out", str(tmp_path / place))
        assert done.returncode == 0, done.stderr
        found.append((tmp_path / place / "model.safetensors").read_bytes())
    assert found[0] == found[1]


def test_a_short_text_is_refused(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("short")
    found = run("language_model", "--data", str(text))
    assert found.returncode == 1 and "expected a text of over 640 tokens" in found.stderr
