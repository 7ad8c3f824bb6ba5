"""Error rates, ratios, intelligibility."""

import numpy as np
import pytest

import tallow
from tallowaudio import metrics


def test_alignments_have_the_fewest_errors():
    found = metrics.align("kitten", "sitting")
    assert found.errors == 3 and found.marks == "S   S I"
    assert metrics.align("", "ab").marks == "II" and metrics.align("ab", "").marks == "DD"
    assert metrics.align("", "").errors == 0 and str(metrics.align("", "")).startswith("reference")


def test_alignments_agree_with_their_own_sequences():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (rng.integers(0, 4, rng.integers(0, 12)).tolist() for _ in range(2))
        pairs = metrics.align(a, b).pairs
        assert [x for x, _ in pairs if x is not None] == a
        assert [y for _, y in pairs if y is not None] == b


def test_error_rates_count_over_all_references():
    assert metrics.word_error_rate(["a b c", "d"], ["a c", "d e"]) == 0.5
    assert metrics.character_error_rate(["abc", "d"], ["abc", ""]) == 0.25
    with pytest.raises(ValueError, match="not empty"):
        metrics.word_error_rate([""], ["a"])
    with pytest.raises(RuntimeError, match="a hypothesis for each reference, got 2 and 1"):
        metrics.word_error_rate(["a", "b"], ["a"])


def test_ratios_are_those_of_their_definitions():
    rng = np.random.default_rng(1)
    clean, noise = rng.normal(size=(2, 3, 400))
    noisy = tallow.from_numpy(clean + 0.1 * noise)
    wanted = 10 * np.log10((clean**2).sum(-1) / ((0.1 * noise) ** 2).sum(-1))
    found = metrics.snr(noisy, tallow.from_numpy(clean))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)
    scaled = metrics.si_sdr(noisy * 7, tallow.from_numpy(clean))
    np.testing.assert_allclose(scaled.numpy(), metrics.si_sdr(noisy, tallow.from_numpy(clean)))
    np.testing.assert_allclose(scaled.numpy(), wanted, atol=0.5)
    with pytest.raises(RuntimeError, match="one shape"):
        metrics.si_sdr(noisy, noisy[:, :5])


def test_si_sdr_is_differentiable_and_finite_for_silence():
    estimate = tallow.zeros(1, 50, requires_grad=True)
    metrics.si_sdr(estimate, tallow.rand(1, 50)).sum().backward()
    assert bool(estimate.grad.isfinite().all())


def spoken(samples=30000, rate=10000):
    """A warble that comes and goes, and noise."""
    t = np.arange(samples) / rate
    warble = np.sin(2 * np.pi * 300 * t * (1 + 0.2 * np.sin(4 * np.pi * t)))
    clean = warble * np.clip(np.sin(2 * np.pi * 1.3 * t), 0, 1)
    return clean, np.random.default_rng(0).standard_normal(samples)


@pytest.mark.parametrize(("level", "wanted"), [(0.05, 0.745098650807), (1.0, 0.684530137808)])
def test_stoi_is_that_of_pystoi(level, wanted):
    clean, noise = spoken()
    found = metrics.stoi(tallow.tensor(clean + level * noise), tallow.tensor(clean), 10000)
    assert found.item() == pytest.approx(wanted, abs=1e-9)


def test_stoi_takes_batches_and_refuses_silence():
    clean, noise = (tallow.tensor(x) for x in spoken(24000, 8000))
    both = metrics.stoi(tallow.stack([clean, clean + noise]), tallow.stack([clean, clean]), 8000)
    assert both.shape == (2,) and both[0].item() > 0.999 > both[1].item()
    with pytest.raises(RuntimeError, match="silence"):
        metrics.stoi(clean[:2000], clean[:2000], 8000)


def test_equal_error_rate():
    rng = np.random.default_rng(2)
    scores = np.concatenate([rng.normal(1, 1, 4000), rng.normal(-1, 1, 4000)])
    labels = np.arange(8000) < 4000
    rate, threshold = metrics.equal_error_rate(tallow.tensor(scores), tallow.tensor(labels))
    assert rate == pytest.approx(0.1587, abs=0.01) and abs(threshold) < 0.1
    perfect = metrics.equal_error_rate(tallow.tensor([1.0, 2.0]), tallow.tensor([0, 1]))
    assert perfect == (0.0, 2.0)
    with pytest.raises(ValueError, match="some true and some not"):
        metrics.equal_error_rate(tallow.rand(3), tallow.ones(3))
