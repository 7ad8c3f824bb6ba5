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


def speech():
    """A hiss, float32 (2, 8000), in which a voice-like buzz begins after half a second."""
    rng = np.random.default_rng(5)
    t = np.arange(8000) / 8000
    buzz = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 12)) * 0.1 * (t > 0.5)
    return (buzz + rng.normal(0, 1e-3, (2, 8000))).astype(np.float32)


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
        "speech": torch.from_numpy(speech()),
        "array": torch.view_as_complex(torch.from_numpy(rng.normal(size=(2, 3, 5, 12, 2)))),
        "mask": torch.from_numpy(rng.uniform(0.1, 1, (2, 5, 12))),
        "masks": torch.from_numpy(rng.uniform(0.1, 1, (2, 3, 5, 12))),
        "joint": torch.from_numpy(rng.normal(size=(3, 6, 4, 5))),
        "labels": torch.from_numpy(rng.integers(1, 4, (3, 3)).astype(np.int32)),
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

_BIQUADS = {
    "lowpass": "900.0", "highpass": "900.0, 1.2", "bandpass": "900.0", "bandreject": "900.0, 2.0",
    "allpass": "900.0", "band": "900.0", "equalizer": "900.0, 6.0", "bass": "5.0",
    "treble": "-7.0, 2000, 0.5",
}  # fmt: skip

FILTERS = [
    *(f"F.{name}_biquad({x}, 8000, {given})" for name, given in _BIQUADS.items()
      for x in ("wave", "double")),
    "F.bandpass_biquad(batch, 8000, 900.0, 0.9, True)",
    "F.band_biquad(batch, 8000, 900.0, noise=True)",
    *(f"F.deemph_biquad(wave, {rate})" for rate in (44100, 48000)),
    *(f"F.riaa_biquad(wave * 0.3, {rate})" for rate in (44100, 48000, 88200, 96000)),
    "F.biquad(double, 0.4, 0.2, 0.9, 0.7, 0.2, 0.6)", "F.deemphasis(wave * 0.1)",
    "T.Deemphasis(0.5)(mono)",
    "F.lfilter(wave, torch.tensor([0.8, 0.3]), torch.tensor([0.9, 0.1]))",
    "F.lfilter(double, torch.tensor([1.0, -1.7, 0.9, -0.1]).double(),"
    " torch.tensor([3.0, 0.1, 2, 1]).double(), clamp=False)",
    "F.lfilter(batch, torch.tensor([[1.0, 0.3], [2, 0.5], [1, -0.6]]),"
    " torch.tensor([[1.0, 0.3], [1, 0.2], [2, 0.1]]))",
    "F.lfilter(mono, torch.tensor([[1.0, 0.3], [2, 0.5]]), torch.tensor([[1.0, 0.3], [1, 0.2]]),"
    " batching=False)",
    "F.filtfilt(wave * 0.1, torch.tensor([1.0, -0.5, 0.2]), torch.tensor([0.3, 0.4, 0.5]))",
    "F.filtfilt(batch, torch.tensor([1.0, -0.5]), torch.tensor([0.3, 0.4]), False)",
]  # fmt: skip

EFFECTS = [
    "F.contrast(wave)", "F.contrast(double, 20.0)", "F.dcshift(wave, 0.3)",
    "F.dcshift(wave.clone(), 0.5, 0.05)", "F.dcshift(wave.clone(), -0.4, 0.1)",
    "F.overdrive(wave)", "F.overdrive(batch, 5, 70)", "F.phaser(wave, 8000)",
    "F.phaser(double, 8000, 0.6, 0.9, 2.0, 0.7, 2.0, False)",
    "F.flanger(wave, 8000)", "F.flanger(double, 8000, 1.0, 4.0, 40.0, 60.0, 3.0, 50.0,"
    " 'triangular', 'quadratic')", "F.flanger(batch, 8000, regen=-20.0, speed=5.0)",
    "F.dither(wave)", "F.dither(double, noise_shaping=True)",
    *(f"(torch.manual_seed({seed}), F.dither(wave.clone(), {how}))[1]"
      for how in ("'RPDF'", "'RPDF', True", "'GPDF'") for seed in range(2)),
    *(f"slope(lambda x: F.{call}, double[:, :60])" for call in (
        "lfilter(x, x[0, :3] + 1, x[1, :3])", "filtfilt(x, x[0, :3] + 1, x[1, :3], False)",
        "lowpass_biquad(x, 8000, 900 + 99 * x[0, 3], x[0, 1] + 1)",
        "equalizer_biquad(x, 8000, 900 + 99 * x[0, 3], x[0, 1], x[0, 5] + 1)",
        "bass_biquad(x, 8000, x[0, 1] * 9)", "treble_biquad(x, 8000, x[0, 1] * 9)",
        "contrast(x)", "phaser(x, 8000, delay_ms=1.0)", "flanger(x, 8000, regen=30.0)",
        "deemphasis(x * 0.1)",
    )),
]  # fmt: skip

_PSDS = "F.psd(array, mask), F.psd(array, 1.2 - mask)"
_LENGTHS = "torch.tensor([6, 4, 5], dtype=torch.int32), torch.tensor([3, 2, 0], dtype=torch.int32)"

ANALYSIS = [
    "T.AddNoise()(wave, wave.flip(-1), torch.tensor([3.0, -10.0]))",
    "(torch.manual_seed(4), F.mask_along_axis(wide, 9, 0.5, 3, 0.6))[1]",
    "F.loudness(speech, 8000)", "T.Loudness(8000)(speech[None, :1])",
    "F.loudness(torch.cat([speech, speech * 0.1, speech[:1]]), 8000)",
    "F.detect_pitch_frequency(speech[:, 4000:], 8000)",
    "F.detect_pitch_frequency(mono, 8000, 0.02, 5, 100, 2000)",
    *(f"F.sliding_window_cmn(wide.transpose(-1, -2){arguments})" for arguments in (
        "", ", 10, 4", ", 10, 4, True", ", 7, 12, True", ", 10, 20, False, True",
        ", 9, 1, True, True")),
    "T.SlidingWindowCmn(12, 3)(power[0, 0].T)",
    "F.frechet_distance(mono[:3], torch.eye(3) * 2, mono[3:6], torch.eye(3) + 0.1)",
    "F.vad(speech, 8000)", "F.vad(speech[0], 8000, pre_trigger_time=0.1, trigger_level=3.0)",
    "F.vad(speech[:, :4000], 8000, pre_trigger_time=0.05)",
    "T.Vad(8000, 5.0, search_time=0.4, allowed_gap=0.1)(speech)",
    "T.InverseMelScale(17, 6, 8000)(power[..., :6, :])",
    "T.InverseMelScale(33, 12, 8000, 100.0, 3000.0, 'slaney', 'slaney')(power[0, :, :12])",
    "F.pitch_shift(wave, 8000, 4)", "F.pitch_shift(batch, 8000, -3, 24, 128)",
    "T.PitchShift(8000, 2, n_fft=256)(mono)",
    "F.speed(wave, 8000, 1.1)[0]", "F.speed(wave, 8000, 0.9, torch.tensor([700, 300]))[1]",
    "T.Speed(8000, 1.5)(batch)[0]", "T.Speed(8000, 0.7)(batch, torch.tensor([200, 300]))[1]",
    *(f"(torch.manual_seed({seed}), T.SpeedPerturbation(80, [0.9, 1.0, 1.1])(wave)[0])[1]"
      for seed in range(3)),
    "F.psd(array)", "F.psd(array, mask)", "F.psd(array, mask, False)", "T.PSD(True)(array, masks)",
    f"F.mvdr_weights_souden({_PSDS}, 1)",
    f"F.mvdr_weights_souden({_PSDS}, torch.tensor([[0.2, 0.8, 0.1]] * 2).double(), False)",
    "F.mvdr_weights_rtf(array[..., 0].mT, F.psd(array))",
    "F.mvdr_weights_rtf(array[..., 0].mT, F.psd(array), 2)",
    "F.mvdr_weights_rtf(array[..., 0].mT, F.psd(array), torch.tensor([[0.2, 0.8, 0.1]] * 2))",
    "(lambda v: v / v[..., :1] * v[..., :1].abs())(F.rtf_evd(F.psd(array)))",
    *(f"F.rtf_power({_PSDS}, 0, {n})" for n in (1, 2, 4)),
    "F.apply_beamforming(array[..., 0].mT, array)",
    f"T.SoudenMVDR()(array, {_PSDS}, 0)",
    "T.RTFMVDR()(array, array[..., 0].mT, F.psd(array), 1)",
    *(f"T.MVDR(1, '{how}')(array, mask, 1.2 - mask)"
      for how in ("ref_channel", "stv_evd", "stv_power")),
    "T.MVDR(multi_mask=True)(array.to(torch.complex64), masks, 1.2 - masks)",
    "(lambda m: (m(array, mask, 1.2 - mask), m(array * 2, 1.2 - mask, mask))[1])"
    "(T.MVDR(online=True))",
    "F.edit_distance('abcdef', 'azced')", "F.edit_distance([], [1, 2])",
    *(f"F.rnnt_loss(joint.float(), labels, {_LENGTHS}, {rest})"
      for rest in ("reduction='none'", "blank=0, reduction='sum'", "4, 0.05")),
    f"F.rnnt_loss(joint.float().log_softmax(-1), labels, {_LENGTHS}, fused_log_softmax=False)",
    f"T.RNNTLoss(0)(joint.float(), labels, {_LENGTHS})",
    *(f"slope(lambda x: F.rnnt_loss(x, labels, {_LENGTHS}, {rest}), joint.float())"
      for rest in ("reduction='none'", "0", "0, 0.05, 'sum'")),
    *(f"F.forced_align(joint[:1, :, 0].log_softmax(-1), labels[:1, :{n}].long())[{i}]"
      for n in (1, 2, 3) for i in range(2)),
    "F.forced_align(array[:1, 0].abs().mT.log_softmax(-1), torch.tensor([[1, 1, 3]]))[0]",
    "[[t.token, t.start, t.end, t.score] for t in F.merge_tokens(torch.tensor([0, 2, 2, 0, 2, 3]),"
    " torch.arange(6.0))]",
    *(f"slope(lambda x: F.{call}, double[:, :400])" for call in (
        "loudness(x * 0.1, 500)", "sliding_window_cmn(x.reshape(2, 40, 10), 9, 4, True)",
        "pitch_shift(x, 80, 3, n_fft=32)", "speed(x, 8000, 1.1)[0]")),
    "slope(lambda x: T.InverseMelScale(9, 4, 8000).double()(x[:, :40].reshape(4, 20)), double)",
    "slope(lambda x: F.mvdr_weights_souden(*(F.psd(array * x.sum(), m + x[0, :12].abs())"
    " for m in (mask, 1.2 - mask)), 0).abs(), double)",
]  # fmt: skip

KALDI = [
    *(f"K.{name}(wave * 3e4, sample_frequency=8000.0{given})" for name in
      ("spectrogram", "fbank", "mfcc") for given in (
        "", ", snip_edges=False, channel=1", ", raw_energy=False, subtract_mean=True",
        ", window_type='hamming', preemphasis_coefficient=0.0, frame_shift=4.0",
        ", window_type='blackman', remove_dc_offset=False, energy_floor=0.0",
        ", window_type='hanning', round_to_power_of_two=False", ", window_type='rectangular'",
        ", snip_edges=False, frame_shift=30.0, min_duration=0.05")),
    "K.fbank(wave, min_duration=9.0)", "K.spectrogram(wave, min_duration=9.0)",
    *(f"K.{name}(wave, sample_frequency=8000.0, {given})" for name in ("fbank", "mfcc")
      for given in ("use_energy=True", "use_energy=True, htk_compat=True", "htk_compat=True",
                    "low_freq=50.0, high_freq=-200.0, vtln_warp=1.1, num_mel_bins=15",
                    "vtln_warp=0.9, vtln_low=200.0, vtln_high=3500.0")),
    "K.fbank(double, sample_frequency=8000.0, use_power=False, use_log_fbank=False)",
    "K.mfcc(wave, sample_frequency=8000.0, num_ceps=20, cepstral_lifter=0.0)",
    "(torch.manual_seed(1), K.fbank(wave * 3e4, dither=1.0, sample_frequency=8000.0))[1]",
    "K.get_mel_banks(10, 256, 8000.0, 20.0, 0.0, 100.0, -500.0, 1.0)[1]",
    "K.vtln_warp_mel_freq(100.0, 3500.0, 20.0, 4000.0, 1.2, torch.arange(0, 2900, 70.0))",
    "K.mel_scale(mono.abs() * 4000)", "K.inverse_mel_scale(mono.abs() * 2000)",
    "K.vtln_warp_freq(100.0, 3500.0, 20.0, 4000.0, 0.8, torch.arange(0, 4200, 99.0))",
    "[K.mel_scale_scalar(440.0), K.inverse_mel_scale_scalar(440.0)]",
    "slope(lambda x: K.fbank(x, sample_frequency=8000.0), double)",
    "slope(lambda x: K.mfcc(x, sample_frequency=8000.0, use_energy=True), double)",
]  # fmt: skip

# Prototypes in torchaudio, until 2.8: recorded with 2.3.
BANDS = [
    *(f"F.barkscale_fbanks(129, {low}, {high}, 12, {rate}, '{scale}')"
      for low, high, rate in ((0.0, 4000.0, 8000), (300.0, 20000.0, 44100))
      for scale in ("traunmuller", "schroeder", "wang")),
    "F.chroma_filterbank(8000, 65, 12)",
    "F.chroma_filterbank(8000, 65, 24, tuning=0.3, octwidth=None, norm=1, base_c=False)",
    "F.chroma_filterbank(16000, 33, 12, ctroct=4.0, octwidth=1.0)",
    "T.BarkScale(6, 8000, n_stft=33)(power)", "T.BarkSpectrogram(8000, 128, n_barks=8)(wave)",
    "T.ChromaScale(8000, 33)(power)", "T.ChromaSpectrogram(8000, 128, hop_length=50)(wave)",
]  # fmt: skip

GROUPS = {
    "spectra": SPECTRA, "mel": MEL, "waveform": WAVEFORM, "gradients": GRADIENTS, "more": MORE,
    "filters": FILTERS, "effects": EFFECTS, "analysis": ANALYSIS, "kaldi": KALDI, "bands": BANDS,
}  # fmt: skip


def evaluate(case, torch, transforms, functional, kaldi):
    """The array that a case gives. `slope` is the gradient of a weighted sum of a function."""

    def slope(function, x):
        x = x.clone().requires_grad_()
        out = function(x)
        (out * torch.arange(out.numel(), dtype=out.dtype).cos().reshape(out.shape)).sum().backward()
        return x.grad

    scope = {
        "torch": torch,
        "T": transforms,
        "F": functional,
        "K": kaldi,
        "slope": slope,
        "math": math,
    }
    scope["W"] = torch.hann_window(32, dtype=torch.float64)
    result = eval(case, scope | inputs(torch))
    return result.detach().numpy() if hasattr(result, "numpy") else np.array(result)
