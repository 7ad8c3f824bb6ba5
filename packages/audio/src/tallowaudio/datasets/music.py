"""Music, and mixtures of voices."""

import os
from pathlib import Path

import tallow
from tallow.errors import ShapeError, describe
from tallow.utils.datasets import Archive, DataFileError, parsed, read_lines
from tallowaudio.datasets._files import Recordings, one_of

# GTZAN's songs without those that occur twice: Kereliuk, Sturm and Larsen, "Deep learning and music
# adversaries" (2015). Numbers, and first to last.
_SONGS = {
    "testing": {
        "blues": "12-28 61-72 98-99", "classical": "11-29 34-41 49 77-79",
        "country": "30-40 43-44 46-48 50-51 53-64",
        "disco": "1 21 58 62-66 69 76-88 91-94 96-97 99",
        "hiphop": "0 26-27 30 40 43-45 51-54 62-75 99", "jazz": "73-99",
        "metal": "12-15 22-23 25-33 38-39 67 70 73-75 78 83 85 87-88",
        "pop": "0-1 13-14 43 63-66 69-79 82 88-96",
        "reggae": "34-40 46-48 52-53 64-68 71 79 82-84 87-90", "rock": "10-15 27-37 39-48 86-90",
    },
    "training": {
        "blues": "29-49 73-97", "classical": "30-33 43-48 50-67 80-99",
        "country": "19-26 28-29 65-99",
        "disco": "5 15-20 22-37 39-45 47 49 53-54 56-57 59 61 70 73-74 89",
        "hiphop": "2-25 28-29 31-38 41-42 55-61 77-80", "jazz": "0-1 11-24 41 47-72",
        "metal": "2-3 5 21 24 35 46-57 59-66 69 71-72 79-80 84 86 89-99",
        "pop": "2-9 11-12 16-20 23-29 31-36 38-42 44 46 49-50 80 97-99",
        "reggae": "0-2 4 6 9 11-12 14-32 42-45 49-51 54-60 63 69",
        "rock": "0-9 16-26 57-70 91-99",
    },
    "validation": {
        "blues": "0-11 50-60", "classical": "0-10 68-76", "country": "0-7 9-18 27 41-42 45 49",
        "disco": "0 2-4 6-14 46 48 52 67-68 72 75 90 95", "hiphop": "81-98", "jazz": "2-10 25-32",
        "metal": "0-1 6-11 16-20 36-37 68 76-77 81-82", "pop": "10 53 55 58-62 81 83-86",
        "reggae": "61-62 70 72 74 76-78 85 92-99", "rock": "38 49-56 71-85",
    },
}  # fmt: skip


def _songs(subset):
    for genre, ranges in _SONGS[subset].items():
        for part in ranges.split():
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield f"{genre}/{genre}.{number:05d}.wav"


class GTZAN(Recordings):
    """1,000 songs of 10 genres, 30 s each: (waveform, rate, genre).

    `subset` is training, validation, testing, or None, all. Tzanetakis and Cook, "Musical genre
    classification of audio signals" (2002).
    """

    def __init__(
        self, root, url="http://opihi.cs.uvic.ca/sound/genres.tar.gz", folder_in_archive="genres",
        download=False, subset=None,
    ):  # fmt: skip
        one_of("GTZAN: subset", subset, (None, *_SONGS))
        digest = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"
        archive = Archive(url, digest, made=folder_in_archive)
        super().__init__(root, folder_in_archive, [archive], download)
        if subset:
            self.entries = list(_songs(subset))
        else:
            digits = "[0-9]" * 5
            self.entries = [
                path for genre in _SONGS["testing"]
                for path in self.listed(f"{genre}/{genre}.{digits}.wav")
            ]  # fmt: skip

    def described(self, entry):
        return entry, Path(entry).parent.name


_MUSDB_VALIDATION = (
    "Actions - One Minute Smile", "Clara Berry And Wooldog - Waltz For My Victims",
    "Johnny Lokke - Promises & Lies", "Patrick Talbot - A Reason To Leave", "Triviul - Angelsaint",
    "Alexander Ross - Goodbye Bolero", "Fergessen - Nos Palpitants", "Leaf - Summerghost",
    "Skelpolu - Human Mistakes", "Young Griffo - Pennies", "ANiMAL - Rockshow",
    "James May - On The Line", "Meaxic - Take A Step", "Traffic Experiment - Sirens",
)  # fmt: skip


class MUSDB_HQ(Recordings):
    """150 songs and their stems: (waveforms (source, channel, time), 44100, frames, name).

    `subset` is train or test; `split` of the former is train, validation or None, both; `sources`
    are bass, drums, other and vocals, or of mixture. Rafii et al., "MUSDB18-HQ" (2019).
    """

    sample_rate = 44100

    def __init__(self, root, subset, sources=None, split=None, download=False):
        one_of("MUSDB_HQ: subset", subset, ("train", "test"))
        one_of("MUSDB_HQ: split", split, (None, "train", "validation"))
        archive = Archive(
            "https://zenodo.org/record/3338373/files/musdb18hq.zip",
            "baac80d0483c61d74b2e5f3be75fa557eec52898339e6aa45c1fa48833c5d21d",
            made="musdb18hq", into="musdb18hq",
        )  # fmt: skip
        super().__init__(root, f"musdb18hq/{subset}", [archive], download)
        self.sources = list(sources or ("bass", "drums", "other", "vocals"))
        self.split = split
        names = [str(Path(path).parent) for path in self.listed("*/mixture.wav")]
        if split == "validation":
            names = list(_MUSDB_VALIDATION)
        elif split == "train":
            names = [name for name in names if name not in _MUSDB_VALIDATION]
        self.names = self.entries = names

    def __getitem__(self, n):
        name = self.names[n]
        stems = [self.waveform(f"{name}/{source}.wav")[0] for source in self.sources]
        lengths = {stem.shape[-1] for stem in stems}
        if len(lengths) > 1:
            raise DataFileError(
                f"{os.path.join(self.folder, name)}: expected stems of one length, got "
                f"{sorted(lengths)}"
            )
        return tallow.stack(stems), self.sample_rate, lengths.pop(), name

    def get_metadata(self, n):
        """The folder of a song and its name."""
        return self.names[n], self.sample_rate, self.names[n]


class LibriMix(Recordings):
    """Voices mixed, made by hand of LibriSpeech: (rate, mixture, list of sources).

    `subset` is train-360, train-100, dev or test; `task` is sep_clean, sep_noisy, enh_single or
    enh_both; `mode` says whether the shorter voice ends it, min or max. Cosentino et al. (2020).
    """

    _tasks = {
        "sep_clean": "mix_clean", "enh_single": "mix_single", "enh_both": "mix_both",
        "sep_noisy": "mix_both",
    }  # fmt: skip

    def __init__(
        self, root, subset="train-360", num_speakers=2, sample_rate=8000, task="sep_clean",
        mode="min",
    ):  # fmt: skip
        one_of("LibriMix: sample_rate", sample_rate, (8000, 16000))
        one_of("LibriMix: task", task, self._tasks)
        one_of("LibriMix: mode", mode, ("min", "max"))
        super().__init__(root, f"Libri{num_speakers}Mix")
        self.sample_rate = sample_rate
        self.task = task
        self.base = f"wav{sample_rate // 1000}k/{mode}/{subset}"
        sources = [f"s{i + 1}" for i in range(num_speakers)]
        self.sources = ["mix_clean"] if task == "enh_both" else sources
        self.mixture = self._tasks[task]
        self.entries = [
            Path(path).name for path in self.listed(f"{self.base}/{self.mixture}/*.wav")
        ]

    def get_metadata(self, key):
        """The sample rate, the path of the mixture, and those of the sources."""
        name = self.entries[key]
        paths = [f"{self.base}/{source}/{name}" for source in (self.mixture, *self.sources)]
        return self.sample_rate, paths[0], paths[1:]

    def __getitem__(self, key):
        rate, path, paths = self.get_metadata(key)
        mixture, *sources = (self.waveform(p)[0] for p in (path, *paths))
        for source, where in zip(sources, paths, strict=True):
            if source.shape != mixture.shape:
                raise ShapeError(
                    f"{os.path.join(self.folder, where)}: expected {describe(mixture)} as the "
                    f"mixture has, got {describe(source)}"
                )
        return rate, mixture, sources


class DR_VCTK(Recordings):
    """Speech through cheap microphones, and as it was.

    Samples are (clean, rate, recorded, rate, speaker, utterance, source, channel); `subset` is
    train or test. Sarfjoo and Yamagishi, "Device recorded VCTK" (2018).
    """

    def __init__(
        self, root, subset="train", *, download=False,
        url="https://datashare.ed.ac.uk/bitstream/handle/10283/3038/DR-VCTK.zip",
    ):  # fmt: skip
        one_of("DR_VCTK: subset", subset, ("train", "test"))
        digest = "781f12f4406ed36ed27ae3bce55da47ba176e2d8bae67319e389e07b2c9bd769"
        archive = Archive(url, digest, made="DR-VCTK")
        super().__init__(root, "DR-VCTK/DR-VCTK", [archive], download)
        self.subset = subset
        path = os.path.join(self.folder, "configurations", f"{subset}_ch_log.txt")
        heading = 2 if subset == "train" else 1  # lines

        def entry(line):
            name, source, channel = line.split("\t")
            return name, source, int(channel)

        self.entries = sorted(parsed(path, filter(None, read_lines(path)[heading:]), entry))

    def described(self, entry):
        name, source, channel = entry
        speaker, utterance = name.partition(".")[0].split("_")
        return f"clean_{self.subset}set_wav_16k/{name}", speaker, utterance, source, channel

    def __getitem__(self, n):
        path, *rest = self.described(self.entries[n])
        recorded = path.replace("clean", "device-recorded", 1)
        return *self.waveform(path), *self.waveform(recorded), *rest
