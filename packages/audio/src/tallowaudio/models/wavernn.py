"""WaveRNN: waveforms from mel spectrograms, sample by sample (Kalchbrenner et al., 2018)."""

import math

import tallow
from tallow import nn
from tallow.errors import ArgumentError, ShapeError, describe


class ResBlock(nn.Module):
    def __init__(self, n_freq=128):
        super().__init__()
        self.resblock_model = nn.Sequential(
            nn.Conv1d(n_freq, n_freq, 1, bias=False), nn.BatchNorm1d(n_freq), nn.ReLU(),
            nn.Conv1d(n_freq, n_freq, 1, bias=False), nn.BatchNorm1d(n_freq),
        )  # fmt: skip

    def forward(self, specgram):
        return self.resblock_model(specgram) + specgram


class MelResNet(nn.Module):
    """(N, n_freq, time) -> (N, n_output, time - kernel_size + 1), through residual blocks."""

    def __init__(self, n_res_block=10, n_freq=128, n_hidden=128, n_output=128, kernel_size=5):
        super().__init__()
        self.melresnet_model = nn.Sequential(
            nn.Conv1d(n_freq, n_hidden, kernel_size, bias=False), nn.BatchNorm1d(n_hidden),
            nn.ReLU(), *[ResBlock(n_hidden) for _ in range(n_res_block)],
            nn.Conv1d(n_hidden, n_output, 1),
        )  # fmt: skip

    def forward(self, specgram):
        return self.melresnet_model(specgram)


class Stretch2d(nn.Module):
    """(..., freq, time) with every value repeated along both dimensions."""

    def __init__(self, time_scale, freq_scale):
        super().__init__()
        self.time_scale = time_scale
        self.freq_scale = freq_scale

    def forward(self, specgram):
        return specgram.repeat_interleave(self.freq_scale, -2).repeat_interleave(
            self.time_scale, -1
        )


class UpsampleNetwork(nn.Module):
    """(N, n_freq, time) brought to samples, (N, n_freq, samples), and what blocks make of it."""

    def __init__(
        self, upsample_scales, n_res_block=10, n_freq=128, n_hidden=128, n_output=128,
        kernel_size=5,
    ):  # fmt: skip
        super().__init__()
        self.total_scale = math.prod(upsample_scales)
        self.indent = (kernel_size - 1) // 2 * self.total_scale
        self.resnet = MelResNet(n_res_block, n_freq, n_hidden, n_output, kernel_size)
        self.resnet_stretch = Stretch2d(self.total_scale, 1)
        layers = []
        for scale in upsample_scales:
            smooth = nn.Conv2d(1, 1, (1, 2 * scale + 1), padding=(0, scale), bias=False)
            nn.init.constant_(smooth.weight, 1.0 / (2 * scale + 1))
            layers += [Stretch2d(scale, 1), smooth]
        self.upsample_layers = nn.Sequential(*layers)

    def forward(self, specgram):
        aux = self.resnet_stretch(self.resnet(specgram))
        upsampled = self.upsample_layers(specgram[:, None])[:, 0]
        return upsampled[..., self.indent : upsampled.shape[-1] - self.indent], aux


class WaveRNN(nn.Module):
    """A recurrent network that predicts each sample, one of `n_classes`, from those before.

    `upsample_scales` multiply to `hop_length`, the samples to a frame of the spectrogram.
    Kalchbrenner et al., "Efficient Neural Audio Synthesis", 2018, as built by Ollin Boer Bohan and
    Fatchord.

    >>> import tallow
    >>> from tallowaudio.models import WaveRNN
    >>> model = WaveRNN([2, 2], 16, 4, n_res_block=1, n_rnn=8, n_fc=8, n_freq=6, n_hidden=8)
    >>> model(tallow.rand(1, 1, 24), tallow.rand(1, 1, 6, 10)).shape
    tallow.Size([1, 1, 24, 16])
    """

    def __init__(
        self, upsample_scales, n_classes, hop_length, n_res_block=10, n_rnn=512, n_fc=512,
        kernel_size=5, n_freq=128, n_hidden=128, n_output=128,
    ):  # fmt: skip
        super().__init__()
        if math.prod(upsample_scales) != hop_length:
            raise ArgumentError(
                f"WaveRNN: expected upsample_scales whose product is hop_length {hop_length}, got "
                f"{upsample_scales}"
            )
        self._pad = kernel_size // 2
        self.n_rnn = n_rnn
        self.n_aux = n_output // 4
        self.n_bits = int(math.log2(n_classes))
        self.upsample = UpsampleNetwork(
            upsample_scales, n_res_block, n_freq, n_hidden, n_output, kernel_size
        )
        self.fc = nn.Linear(n_freq + self.n_aux + 1, n_rnn)
        self.rnn1 = nn.GRU(n_rnn, n_rnn, batch_first=True)
        self.rnn2 = nn.GRU(n_rnn + self.n_aux, n_rnn, batch_first=True)
        self.fc1 = nn.Linear(n_rnn + self.n_aux, n_fc)
        self.fc2 = nn.Linear(n_fc + self.n_aux, n_fc)
        self.fc3 = nn.Linear(n_fc, n_classes)

    def _step(self, waveform, specgram, aux, hidden):
        """Scores (N, samples, classes) given samples (N, samples, 1), and the states after them."""
        aux = [aux[..., i * self.n_aux : (i + 1) * self.n_aux] for i in range(4)]
        x = self.fc(tallow.cat([waveform, specgram, aux[0]], -1))
        found, first = self.rnn1(x, hidden[0])
        x = x + found
        found, second = self.rnn2(tallow.cat([x, aux[1]], -1), hidden[1])
        x = x + found
        x = self.fc1(tallow.cat([x, aux[2]], -1)).relu()
        x = self.fc2(tallow.cat([x, aux[3]], -1)).relu()
        return self.fc3(x), (first, second)

    def forward(self, waveform, specgram):
        """Scores (N, 1, samples, classes) of each sample, given the one before: waveforms (N, 1,
        samples) begin a sample early, spectrograms are (N, 1, n_freq, frames).
        """
        for name, x in (("waveform", waveform), ("specgram", specgram)):
            if x.ndim < 3 or x.shape[1] != 1:
                raise ShapeError(f"WaveRNN: expected one channel of {name}, got {describe(x)}")
        specgram, aux = self.upsample(specgram[:, 0])
        samples = waveform[:, 0, :, None]
        if samples.shape[1] != specgram.shape[2]:
            raise ShapeError(
                f"WaveRNN: expected {specgram.shape[2]} samples for the spectrogram, got "
                f"{samples.shape[1]}"
            )
        inputs = samples, specgram.transpose(1, 2), aux.transpose(1, 2)
        return self._step(*inputs, (None, None))[0][:, None]

    @tallow.no_grad()
    def infer(self, specgram, lengths=None):
        """Waveforms (N, 1, samples) drawn for spectrograms (N, n_freq, frames), and their lengths.

        `lengths` (N,) are in frames, and returned in samples.
        """
        padded = nn.functional.pad(specgram, (self._pad, self._pad))
        specgram, aux = (x.transpose(1, 2) for x in self.upsample(padded))
        sample = specgram.new_zeros(len(specgram), 1, 1)
        hidden, drawn = (None, None), []
        for t in range(specgram.shape[1]):
            now = slice(t, t + 1)
            scores, hidden = self._step(sample, specgram[:, now], aux[:, now], hidden)
            level = tallow.multinomial(scores[:, 0].softmax(1), 1).to(specgram.dtype)
            sample = (2 * level / (2**self.n_bits - 1.0) - 1.0)[..., None]
            drawn.append(sample)
        if lengths is not None:
            lengths = lengths * self.upsample.total_scale
        return tallow.cat(drawn, 1).transpose(1, 2), lengths
