"""Small networks that listen while a sound comes in: a recogniser, and a detector of speech."""

import json

import tallow
from tallow import nn
from tallow.errors import ArgumentError, CheckpointError, ShapeError, describe
from tallow.serialization import load_file, load_metadata, save_file
from tallowaudio import functional as F


class LogMel(nn.Module):
    """Logarithms of mel energies, of whole frames alone: (N, time) -> (N, n_mels, frames)."""

    def __init__(self, sample_rate, n_fft, hop_length, n_mels, f_min=60.0):
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        bank = F.melscale_fbanks(
            n_fft // 2 + 1, f_min, sample_rate / 2, n_mels, sample_rate, mel_scale="slaney"
        )
        self.register_buffer("window", tallow.hann_window(n_fft), persistent=False)
        self.register_buffer("bank", bank.T.contiguous(), persistent=False)

    def forward(self, waveforms):
        power = F.spectrogram(
            waveforms, 0, self.window, self.n_fft, self.hop_length, self.n_fft, 2.0, False,
            center=False,
        )  # fmt: skip
        return (self.bank @ power + 1e-5).log()


class _Streaming(nn.Module):
    """Log mel energies, convolutions and a GRU, none of which looks beyond `receptive` samples.

    Scores come every `stride` samples. A sound is seen between zeros, and for `tail` frames after
    its end, in which what was heard last may still be reported.
    """

    settings: dict = {}  # what the constructor was called with

    def __init__(self, sample_rate, mel, convolutions, gru, outputs, tail):
        super().__init__()
        self.sample_rate = sample_rate
        self.mel = mel
        self.convolutions = convolutions
        self.gru = gru
        self.head = nn.Linear(gru.hidden_size, outputs)
        self.stride, self.receptive = mel.hop_length, mel.n_fft
        for layer in convolutions:
            if isinstance(layer, nn.Conv1d):
                self.receptive += (layer.kernel_size[0] - 1) * self.stride
                self.stride *= layer.stride[0]
        self.lead = (self.receptive - self.stride) // 2
        self.tail = tail

    def forward(self, waveforms, lengths=None):
        """Scores (N, frames, outputs) of waveforms (N, time), and how many of each are valid.

        `lengths` (N,) are in samples, those of the whole batch unless given. A batch of sounds
        gives what each gives alone.
        """
        if waveforms.ndim != 2 or waveforms.shape[1] == 0:
            raise ShapeError(
                f"{type(self).__name__}: expected waveforms (N, time) of one sample or more, "
                f"got {describe(waveforms)}"
            )
        if lengths is None:
            lengths = tallow.full((len(waveforms),), waveforms.shape[1], dtype=tallow.int64)
        frames = self.frames(waveforms.shape[1])
        padding = (self.lead, self.samples(frames) - self.lead - waveforms.shape[1])
        return self.encode(nn.functional.pad(waveforms, padding))[0], self.frames(lengths)

    def frames(self, length):
        """How many frames a sound of some samples has."""
        return -(-length // self.stride) + self.tail

    def samples(self, frames):
        """How many samples, with the padding, some frames look at."""
        return self.receptive + (frames - 1) * self.stride

    def encode(self, samples, state=None):
        """Scores of all whole frames of samples, nothing padded, and the GRU's state after them."""
        hidden, state = self.gru(self.convolutions(self.mel(samples)).transpose(1, 2), state)
        return self.head(hidden), state

    def save(self, path, dtype=None):
        """Write the weights, of type `dtype` if given, and what `load` needs, as safetensors."""
        state = {
            name: x.to(dtype) if dtype is not None and x.is_floating_point() else x
            for name, x in self.state_dict().items()
        }
        about = {"model": type(self).__name__, "settings": json.dumps(self.settings)}
        save_file(state, path, about)

    @classmethod
    def load(cls, path):
        """The network in a file that `save` wrote, in float32, for inference.

        CheckpointError for a file of another kind.
        """
        about = load_metadata(path)
        if about.get("model") != cls.__name__:
            raise CheckpointError(
                f"{path}: expected a {cls.__name__} that its `save` wrote, got "
                f"{about.get('model', 'something else')}"
            )
        model = cls(**json.loads(about["settings"]))
        model.load_state_dict(load_file(path))
        return model.eval()

    def stream(self, sample_rate=None):
        """A `Stream`, which takes samples (time,) as they come and gives their scores.

        `sample_rate` is the sound's, in Hz: ArgumentError if it is not that of the model.
        """
        if sample_rate not in (None, self.sample_rate):
            raise ArgumentError(
                f"{type(self).__name__}: expected sound at {self.sample_rate} Hz, got "
                f"{sample_rate} Hz; resample it"
            )
        return Stream(self)


class Stream:
    """A sound heard in pieces of any length: what comes out is what the whole would give."""

    def __init__(self, model):
        self.model = model
        self.state = None
        self.waiting = tallow.zeros(model.lead)
        self.heard = self.given = 0  # samples, frames

    @tallow.no_grad()
    def __call__(self, samples, last=False):
        """Scores (frames, outputs) that the samples (time,) make known; `last` ends the sound."""
        model = self.model
        waiting = tallow.cat([self.waiting, samples])
        self.heard += len(samples)
        if last:
            frames = model.frames(self.heard) - self.given
            waiting = nn.functional.pad(waiting, (0, model.samples(frames) - len(waiting)))
        else:
            frames = (len(waiting) - model.receptive) // model.stride + 1
        self.waiting = waiting[max(frames, 0) * model.stride :]
        if frames <= 0:
            return tallow.zeros(0, model.head.out_features)
        self.given += frames
        scores, self.state = model.encode(waiting[None, : model.samples(frames)], self.state)
        return scores[0]


class StreamingRecognizer(_Streaming):
    """A recogniser to be trained with CTC, which reports while it listens: scores every 40 ms.

    Two convolutions over log mel energies of sound at 8 kHz, then a GRU of `hidden` units in two
    layers. `labels` are characters, of which the first is the blank.

    >>> import tallow
    >>> from tallowaudio.models import StreamingRecognizer
    >>> scores, frames = StreamingRecognizer("-ab").eval()(tallow.rand(1, 8000))
    >>> scores.shape, frames
    (tallow.Size([1, 31, 3]), tensor([31]))
    """

    def __init__(self, labels, channels=96, hidden=128, dropout=0.1):
        convolutions = nn.Sequential(
            nn.BatchNorm1d(40),
            nn.Conv1d(40, channels, 5, stride=2), nn.BatchNorm1d(channels), nn.ReLU(),
            nn.Conv1d(channels, channels, 5, stride=2), nn.BatchNorm1d(channels), nn.ReLU(),
            nn.Dropout(dropout),
        )  # fmt: skip
        gru = nn.GRU(channels, hidden, 2, batch_first=True, dropout=dropout)
        super().__init__(8000, LogMel(8000, 256, 80, 40), convolutions, gru, len(labels), tail=6)
        self.settings = {"labels": labels, "channels": channels, "hidden": hidden}
        self.labels = labels


class VoiceDetector(_Streaming):
    """Whether there is speech in each frame of 30 ms, as a logit: (N, time) -> (N, frames, 1)."""

    def __init__(self, channels=24, hidden=24):
        convolutions = nn.Sequential(
            nn.BatchNorm1d(20), nn.Conv1d(20, channels, 3), nn.BatchNorm1d(channels), nn.ReLU()
        )
        gru = nn.GRU(channels, hidden, batch_first=True)
        super().__init__(8000, LogMel(8000, 256, 240, 20), convolutions, gru, 1, tail=0)
