"""Spoken words and commands."""

import csv
import os
import re
from pathlib import Path

from tallow.utils.datasets import Archive, parsed, read_lines
from tallowaudio.datasets._files import Recordings, one_of

_SPEECH_COMMANDS = {
    "speech_commands_v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "speech_commands_v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
}


class SPEECHCOMMANDS(Recordings):
    """35 words by many speakers, a second each: (waveform, 16000, word, speaker, utterance).

    `subset` is training, validation, testing or None, all; `url` names the version,
    speech_commands_v0.01 or speech_commands_v0.02. Warden, "Speech Commands" (2018).
    """

    sample_rate = 16000

    def __init__(
        self, root, url="speech_commands_v0.02", folder_in_archive="SpeechCommands",
        download=False, subset=None,
    ):  # fmt: skip
        one_of("SPEECHCOMMANDS: url", url, _SPEECH_COMMANDS)
        one_of("SPEECHCOMMANDS: subset", subset, (None, "training", "validation", "testing"))
        made = f"{folder_in_archive}/{url}"
        archive = Archive(
            f"http://download.tensorflow.org/data/{url}.tar.gz",
            _SPEECH_COMMANDS[url],
            made=made,
            into=made,
        )
        super().__init__(root, folder_in_archive, [archive], download)
        lists = {"validation": ["validation"], "testing": ["testing"]}
        lists = lists.get(subset, ["validation", "testing"])
        named = [
            f"{url}/{line.strip()}" for name in lists
            for line in read_lines(os.path.join(self.folder, url, f"{name}_list.txt"))
        ] if subset else []  # fmt: skip
        if subset in ("validation", "testing"):
            self.entries = named
            return
        left_out = set(named)
        self.entries = [
            path for path in self.listed(f"{url}/*/*_nohash_*.wav")
            if "_background_noise_" not in path and path.replace(os.sep, "/") not in left_out
        ]  # fmt: skip

    def described(self, entry):
        path = Path(entry)
        speaker, number = path.stem.split("_nohash_")
        return entry, path.parent.name, speaker, int(number)


class FSDD(Recordings):
    """3,000 spoken digits of 6 speakers: (waveform, 8000, digit, speaker, index).

    `subset` is train, test (recordings 0 to 4 of each speaker and digit) or None, all. Jackson et
    al., "Free spoken digit dataset" (2018).
    """

    sample_rate = 8000

    def __init__(self, root, subset=None, download=False):
        one_of("FSDD: subset", subset, (None, "train", "test"))
        base = "free-spoken-digit-dataset-master"
        archive = Archive(
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.zip",
            None, made=f"{base}/recordings",
        )  # fmt: skip
        if os.path.isdir(os.path.join(root, "recordings")):  # unpacked by hand
            super().__init__(root, "recordings")
        else:
            super().__init__(root, archive.made, [archive], download)
        kept = {None: lambda _: True, "train": lambda i: i > 4, "test": lambda i: i <= 4}[subset]
        entries = parsed(self.folder, self.listed("*.wav"), self.described)
        self.entries = [path for path, _, _, index in entries if kept(index)]

    def described(self, entry):
        digit, speaker, index = Path(entry).stem.split("_")
        return entry, int(digit), speaker, int(index)


class SyntheticDigits(Recordings):
    """40 digits that came with the package, by 4 synthetic voices: (waveform, 8000, digit, voice).

    Waveforms are (1, 6400), 0.8 s that begin with the digit. `voices` are those wanted, of kal,
    awb, rms and slt, Flite's (Black and Lenzo, 2001); tools/recordings.py had them say it.

    >>> from tallowaudio.datasets import SyntheticDigits
    >>> waveform, rate, digit, voice = SyntheticDigits(["slt"])[3]
    >>> waveform.shape, rate, digit, voice
    (tallow.Size([1, 6400]), 8000, 3, 'slt')
    """

    sample_rate = 8000
    length = 6400  # samples
    voices = ("kal", "awb", "rms", "slt")
    place = Path(__file__).with_name("digits")

    def __init__(self, voices=voices):
        super().__init__(self.place)
        voices = [one_of("SyntheticDigits: voices", voice, self.voices) for voice in voices]
        self.entries = [(voice, digit) for voice in voices for digit in range(10)]

    def described(self, entry):
        voice, digit = entry
        return f"{voice}.flac", digit, voice

    def __getitem__(self, n):
        path, digit, voice = self.described(self.entries[n])
        return *self.waveform(path, digit * self.length, self.length), digit, voice


class FluentSpeechCommands(Recordings):
    """Commands to a smart home, downloaded by hand.

    Samples are (waveform, 16000, file, speaker, transcript, action, object, location); `subset` is
    train, valid or test. Lugosch et al., "Speech model pre-training for end-to-end spoken language
    understanding" (2019).
    """

    sample_rate = 16000

    def __init__(self, root, subset="train"):
        one_of("FluentSpeechCommands: subset", subset, ("train", "valid", "test"))
        super().__init__(root, "fluent_speech_commands_dataset")
        path = os.path.join(self.folder, "data", f"{subset}_data.csv")
        self.header, *rows = csv.reader(read_lines(path))
        place = self.header.index("path")

        def entry(row):
            name = row[place].rpartition("/")[2].partition(".")[0]
            speaker, transcript, action, thing, location = row[2:]
            return (f"wavs/speakers/{speaker}/{name}.wav", name, speaker, transcript, action, thing,
                    location)  # fmt: skip

        self.entries = parsed(path, rows, entry)

    def described(self, entry):
        return entry


_SNIPS_SPEAKERS = (
    "Aditi", "Amy", "Brian", "Emma", "Geraint", "Ivy", "Joanna", "Joey", "Justin", "Kendra",
    "Kimberly", "Matthew", "Nicole", "Raveena", "Russell", "Salli",
)  # fmt: skip


class Snips(Recordings):
    """Requests read by synthetic voices: (waveform, 16000, file, transcript, slots, intent).

    `subset` is train, valid or test; `speakers` are all 16 by default. Coucke et al. (2018).
    """

    sample_rate = 16000

    def __init__(self, root, subset, speakers=None, audio_format="mp3"):
        one_of("Snips: subset", subset, ("train", "valid", "test"))
        one_of("Snips: audio_format", audio_format, ("mp3", "wav"))
        super().__init__(root, "SNIPS")
        speakers = _SNIPS_SPEAKERS if speakers is None else speakers
        self.entries = [
            path for path in self.listed(f"{subset}/*.{audio_format}")
            if Path(path).name.partition("-")[0] in speakers
        ]  # fmt: skip
        path = os.path.join(self.folder, "all.iob.snips.txt")
        self.labels = dict(parsed(path, read_lines(path), self._row))

    @staticmethod
    def _row(line):  # NAME BOS words EOS <tab> O slots intent
        words, slots = line.strip().split("\t")
        name, *words = words.split(" ")
        slots = slots.split(" ")
        return name, (" ".join(words[1:-1]), " ".join(slots[1:-1]), slots[-1])

    def described(self, entry):
        name = Path(entry).stem
        return entry, name, *self.labels[name]


class QUESST14(Recordings):
    """Queries and what to search for them, in six languages: (waveform, 8000, file).

    `subset` is docs, dev or eval; `language` None is all. Anguera et al., "QUESST2014" (2014).
    """

    sample_rate = 8000
    languages = ("albanian", "basque", "czech", "nnenglish", "romanian", "slovak")

    def __init__(self, root, subset, language="nnenglish", download=False):
        lists = {"docs": "utterances", "dev": "dev", "eval": "eval"}
        one_of("QUESST14: subset", subset, lists)
        one_of("QUESST14: language", language, (None, *self.languages))
        archive = Archive(
            "https://speech.fit.vutbr.cz/files/quesst14Database.tgz",
            "4f869e06bc066bbe9c5dde31dbd3909a0870d70291110ebbb38878dcbc2fc5e4",
            made="quesst14Database",
        )
        super().__init__(root, archive.made, [archive], download)
        path = os.path.join(self.folder, "scoring", f"language_key_{lists[subset]}.lst")
        rows = parsed(path, read_lines(path), self._row)
        self.entries = [name for name, spoken in rows if language in (None, spoken)]

    @staticmethod
    def _row(line):
        path, language = line.split()
        return re.sub(r"^.*?/", "", path), language

    def described(self, entry):
        return entry, Path(entry).stem
