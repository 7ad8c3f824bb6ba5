"""What tallowaudio is compared on, as text that is evaluated with torchaudio or with tallowaudio.

`tools/goldens/audio.py` evaluates it with torchaudio 2.11 and records what it gives.
"""

import math

import numpy as np


def waves(count, length, seed=0):
    """Sweeps with noise, float32 (count, length), in [-0.9, 0.9]."""
    rng = np.random.default_rng(seed)
    t = np.arange(length) / 8000
    rows = [
        0.6 * np.sin(2 * np.pi * (200 * (n + 1) * t + 900 * t * t)) + rng.normal(0, 0.05, length)
        for n in range(count)
    ]
    return np.clip(rows, -0.9, 0.9).astype(np.float32)


def inputs(torch):
    """The signals, by name."""
    wave = torch.from_numpy(waves(2, 700))
    rng = np.random.default_rng(3)
    power = rng.uniform(0, 1, (2, 3, 33, 5)).astype(np.float32) ** 8
    spectrum = rng.normal(size=(2, 33, 9, 2)).astype(np.float32)
    return {
        "wave": wave,
        "mono": wave[0],
        "batch": torch.from_numpy(waves(6, 300, 1)).reshape(2, 3, 300),
        "double": wave.to(torch.float64),
        "power": torch.from_numpy(power),
        "wide": torch.arange(3840, dtype=torch.float32).reshape(2, 3, 16, 40) % 7,
        "spectrum": torch.view_as_complex(torch.from_numpy(spectrum)),
    }


SPECTRA = [
    "F.spectrogram(wave, 0, torch.hann_window(64), 64, 16, 64, 2.0, False)",
    "F.spectrogram(wave, 5, torch.hamming_window(50), 64, 20, 50, 1.0, True)",
    "F.spectrogram(batch, 0, torch.hann_window(64), 64, 16, 64, 0.7, 'frame_length', False)",
    "F.spectrogram(mono, 0, torch.hann_window(64), 64, 32, 64, None, 'window')",
    "F.spectrogram(wave, 0, torch.hann_window(64), 64, 16, 64, 2.0, False, True, 'constant')",
    "F.spectrogram(wave, 0, torch.hann_window(64), 64, 16, 64, 2.0, False, True, 'reflect', False)",
    "F.spectrogram(double, 0, torch.hann_window(63, dtype=torch.float64), 63, 16, 63, 2., False)",
    "T.Spectrogram(64)(wave)", "T.Spectrogram(64, 48, 10, 3, torch.hamming_window, 1.0)(batch)",
    "T.Spectrogram(64, power=None, wkwargs={'periodic': False})(wave)",
    "F.inverse_spectrogram(spectrum, None, 0, torch.hann_window(64), 64, 16, 64, False)",
    "F.inverse_spectrogram(spectrum, 100, 4, torch.hann_window(64), 64, 16, 64, 'window')",
    "T.InverseSpectrogram(64)(T.Spectrogram(64, power=None)(wave), 700)",
    "T.InverseSpectrogram(64, normalized='frame_length')(spectrum)",
    "F.amplitude_to_DB(power, 10.0, 1e-10, 0.3)", "F.amplitude_to_DB(power, 20.0, 1e-5, 0.0, 40.0)",
    "F.amplitude_to_DB(power[0], 10.0, 1e-10, 0.0, 30.0)",
    "F.amplitude_to_DB(power[0, 0], 10.0, 1e-10, 0.0, 30.0)",
    "F.DB_to_amplitude(power * 30, 2.0, 0.5)", "T.AmplitudeToDB()(power)",
    "T.AmplitudeToDB('magnitude', 60.0)(power)",
]  # fmt: skip

MEL = [
    *(f"F.melscale_fbanks(129, {low}, {high}, 20, 8000, {norm!r}, '{scale}')"
      for low, high in ((0.0, 4000.0), (300.0, 3000.0))
      for norm in (None, "slaney") for scale in ("htk", "slaney")),
    "F.linear_fbanks(65, 100.0, 3000.0, 12, 8000)", "F.create_dct(5, 12, None)",
    "F.create_dct(5, 12, 'ortho')", "T.MelScale(10, 8000, 50.0, None, 33)(power)",
    "T.MelSpectrogram(8000, 128, n_mels=16)(wave)",
    "T.MelSpectrogram(8000, 128, 100, 30, 50.0, 3500.0, 2, 16, power=1.0, norm='slaney',"
    " mel_scale='slaney', center=False)(batch)",
    "T.MFCC(8000, 8, melkwargs={'n_fft': 128, 'n_mels': 16})(wave)",
    "T.MFCC(8000, 8, norm=None, log_mels=True, melkwargs={'n_fft': 128, 'n_mels': 16})(batch)",
    "T.LFCC(8000, 20, n_lfcc=8, speckwargs={'n_fft': 128})(wave)",
    "T.LFCC(8000, 20, 100.0, 3000.0, 8, log_lf=True, speckwargs={'n_fft': 128})(mono)",
    "torch.cat([p.flatten() for p in T.MFCC(8000, 8, melkwargs={'n_fft': 64, 'n_mels': 9})"
    ".state_dict().values()])", "list(T.MFCC(8000, 8, melkwargs={'n_mels': 9}).state_dict())",
]  # fmt: skip

WAVEFORM = [
    *(f"F.resample({x}, {a}, {b})" for x in ("wave", "double")
      for a, b in ((8000, 4000), (8000, 16000), (441, 160), (3, 7), (16000, 16000))),
    "F.resample(batch, 8000, 6000, 3, 0.8)", "F.resample(mono, 8000, 3000, 16)",
    "F.resample(wave, 5, 4, resampling_method='sinc_interp_kaiser')",
    "F.resample(wave, 4, 5, 12, 0.9, 'sinc_interp_kaiser', 8.5)",
    "T.Resample(8000, 5000)(batch)", "T.Resample(8, 7, dtype=torch.float64)(double)",
    "F.mu_law_encoding(wave, 256)", "F.mu_law_encoding(double, 100)",
    "F.mu_law_decoding(torch.arange(256), 256)", "T.MuLawEncoding(32)(wave)",
    "T.MuLawDecoding(32)(torch.arange(32))", "F.gain(wave, -6.0)", "F.gain(wave, 0)",
    *(f"T.Fade(50, 30, '{shape}')(wave)"
      for shape in ("linear", "exponential", "logarithmic", "quarter_sine", "half_sine")),
    "T.Fade()(mono)", "T.Fade(600, 700)(wave)",
    "T.Vol(1.7)(wave)", "T.Vol(9.0, 'db')(wave)", "T.Vol(0.3, 'power')(wave)",
]  # fmt: skip

GRADIENTS = [
    f"slope({function}, double[:, :200])"
    for function in (
        "lambda x: F.spectrogram(x, 2, W, 32, 8, 32, 2.0, 'window')",
        "lambda x: F.spectrogram(x, 0, W, 32, 8, 32, 1.0, False)",
        "lambda x: F.spectrogram(x, 0, W, 32, 8, 32, 0.7, 'frame_length', False)",
        "lambda x: F.inverse_spectrogram(F.spectrogram(x, 0, W, 32, 8, 32, None, False) ** 2, 200,"
        " 0, W, 32, 8, 32, False)",
        "T.MelSpectrogram(8000, 32, n_mels=6, power=1.0).double()",
        "T.MFCC(8000, 5, melkwargs={'n_fft': 32, 'n_mels': 6}).double()",
        "T.LFCC(8000, 6, n_lfcc=4, log_lf=True, speckwargs={'n_fft': 32}).double()",
        "lambda x: F.amplitude_to_DB(x.abs()[None], 20.0, 1e-3, 0.0, 20.0)",
        "lambda x: F.DB_to_amplitude(x, 2.0, 0.5)",
        "lambda x: F.resample(x, 5, 3)",
        "T.Resample(3, 5, dtype=torch.float64)",
        "T.Fade(20, 30, 'half_sine')",
        "T.Vol(1.5)",
        "lambda x: F.mu_law_decoding(x * 9 + 20, 64)",
    )
]

_MASKS = (
    "T.TimeMasking(30)(wide)",
    "T.TimeMasking(30, iid_masks=True, p=0.3)(wide)",
    "T.FrequencyMasking(12)(wide, 0.5)",
    "T.FrequencyMasking(12, True)(wide)",
    "T.SpecAugment(2, 20, 2, 8)(wide)",
    "T.SpecAugment(1, 20, 2, 8, False, 0.5, True)(wide)",
    "T.TimeMasking(0)(wide)",
    "F.mask_along_axis_iid(double[None, None], 100, 0.0, 3)",
)

MORE = [
    *(f"(torch.manual_seed({seed}), {mask})[1]" for mask in _MASKS for seed in range(3)),
    "F.spectral_centroid(wave, 8000, 2, torch.hann_window(64), 64, 16, 64)",
    "T.SpectralCentroid(8000, 64)(mono)", "F.compute_deltas(power)", "T.ComputeDeltas(3)(power[0])",
    "F.compute_deltas(double, 9)",
    "F.preemphasis(wave)", "T.Preemphasis(0.5)(mono)",
    "F.add_noise(wave, wave.flip(-1), torch.tensor([3.0, -10.0]))",
    "F.add_noise(wave, wave.flip(-1), torch.tensor([3.0, 9.0]), torch.tensor([300, 600]))",
    *(f"F.{f}(wave[:, :90], wave[:, {cut}], '{mode}')" for f in ("convolve", "fftconvolve")
      for cut in ("100:120", "200:321") for mode in ("full", "same", "valid")),
    "F.fftconvolve(batch, mono[None, None, :50])", "F.convolve(batch[:, :1], batch[:1, :, 9:40])",
    "T.Convolve('same')(wave, wave[:, 5:9])", "T.FFTConvolve('valid')(wave, wave[:, 5:9])",
    "F.phase_vocoder(spectrum, 1.3, torch.linspace(0, math.pi * 16, 33)[:, None])",
    "T.TimeStretch(16, 33)(spectrum, 0.7)", "T.TimeStretch(n_freq=33, fixed_rate=1.0)(spectrum)",
    "F.griffinlim(F.spectrogram(double, 0, W, 32, 8, 32, 2.0, False), W, 32, 8, 32, 2.0, 4, 0.9,"
    " 700, False)",
    "(torch.manual_seed(2), F.griffinlim(F.spectrogram(double, 0, W, 32, 8, 32, 1.0, False), W, 32,"
    " 8, 32, 1.0, 3, 0.0, None, True))[1]",
    "T.GriffinLim(32, 2, rand_init=False)(T.Spectrogram(32)(wave))",
    "slope(lambda x: F.phase_vocoder(torch.stft(x, 32, 8, window=W, return_complex=True), 1.3,"
    " torch.linspace(0, math.pi * 8, 17)[:, None]).abs(), double[:, :200])",
    "slope(lambda x: F.fftconvolve(x, x.flip(-1)), double[:, :40])",
    "slope(lambda x: F.convolve(x, x[:, :9]), double[:, :40])",
    "slope(lambda x: F.add_noise(x, x.flip(0), torch.tensor([3.0, 1.0])), double[:, :40])",
]  # fmt: skip

GROUPS = {
    "spectra": SPECTRA, "mel": MEL, "waveform": WAVEFORM, "gradients": GRADIENTS, "more": MORE,
}  # fmt: skip


def evaluate(case, torch, transforms, functional):
    """The array that a case gives. `slope` is the gradient of a weighted sum of a function."""

    def slope(function, x):
        x = x.clone().requires_grad_()
        out = function(x)
        (out * torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)).sum().backward()
        return x.grad

    scope = {"torch": torch, "T": transforms, "F": functional, "slope": slope, "math": math}
    scope["W"] = torch.hann_window(32, dtype=torch.float64)
    result = eval(case, scope | inputs(torch))
    return np.array(result) if isinstance(result, list) else result.numpy()
