"""The weights that come with the package: still what they were, small, and quick to ask."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallowaudio import pipelines
from tallowaudio.models.decoder import ctc_greedy

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "packaged.npz")
CARDS = {"DIGIT_STRINGS": 1_500_000, "SPOKEN_DIGITS": 300_000, "VOICE_ACTIVITY": 50_000}
BUNDLES = ["DIGIT_STRINGS", "VOICE_ACTIVITY"]


def sound():
    """Bursts of chords that glide, in noise: (1, 12000)."""
    rng, t = np.random.default_rng(0), np.arange(12000) / 8000
    glide = np.sin(2 * np.pi * (200 * t + 80 * t**2)) + np.sin(2 * np.pi * (900 * t - 200 * t**2))
    bursts = glide * (np.sin(2 * np.pi * 1.7 * t) > 0) * 0.3
    return tallow.from_numpy((bursts + rng.normal(0, 0.005, 12000)).astype(np.float32))[None]


@pytest.mark.parametrize("name", BUNDLES)
def test_weights_give_what_they_gave(name):
    model = getattr(pipelines, name).get_model()
    with tallow.no_grad():
        scores, _ = model(sound())
    np.testing.assert_allclose(scores[0].numpy(), GOLDEN[name], atol=2e-3)
    assert not model.training


@pytest.mark.parametrize("name", CARDS)
def test_the_card_is_of_the_file(name):
    bundle = getattr(pipelines, name)
    card = bundle.path.with_suffix(".md").read_text()
    data = bundle.path.read_bytes()
    assert len(data) < CARDS[name]
    assert hashlib.sha256(data).hexdigest() in card
    count = sum(p.numel() for p in bundle.get_model().parameters())
    assert bundle.meta["num_params"] == count and f"{count:,} parameters" in card
    assert re.search(r"python tools/pretrain/\w+\.py --data", card)
    for part in ("terms**", "**Recipe**", "**Metric", "**Limits**", bundle.meta["recipe"]):
        assert part in card


def test_silence_is_neither_digits_nor_speech():
    silence = tallow.zeros(1, 16000)
    recognizer = pipelines.DIGIT_STRINGS.get_model()
    with tallow.no_grad():
        assert ctc_greedy(*recognizer(silence), recognizer.labels) == [""]
        assert bool((pipelines.VOICE_ACTIVITY.get_model()(silence)[0] < 0).all())
    assert pipelines.DIGIT_STRINGS.get_labels() == tuple(recognizer.labels)
