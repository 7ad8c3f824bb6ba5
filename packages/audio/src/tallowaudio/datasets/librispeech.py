"""LibriSpeech and its kin: audiobooks read aloud, with what is read. Panayotov et al. (2015)."""

import os
from pathlib import Path

from tallow.utils.datasets import Archive, DataFileError, read_lines
from tallowaudio.datasets._files import Recordings, one_of

_SLR = "http://www.openslr.org/resources/"
_SPEECH = {
    "dev-clean": "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    "dev-other": "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
    "test-clean": "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    "test-other": "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
    "train-clean-100": "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    "train-clean-360": "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
    "train-other-500": "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
}
_TTS = {
    "dev-clean": "da0864e1bd26debed35da8a869dd5c04dfc27682921936de7cff9c8a254dbe1a",
    "dev-other": "d413eda26f3a152ac7c9cf3658ef85504dfb1b625296e5fa83727f5186cca79c",
    "test-clean": "234ea5b25859102a87024a4b9b86641f5b5aaaf1197335c95090cde04fe9a4f5",
    "test-other": "33a5342094f3bba7ccc2e0500b9e72d558f72eb99328ac8debe1d9080402f10d",
    "train-clean-100": "c5608bf1ef74bb621935382b8399c5cdd51cd3ee47cec51f00f885a64c6c7f6b",
    "train-clean-360": "ce7cff44dcac46009d18379f37ef36551123a1dc4e5c8e4eb73ae57260de4886",
    "train-other-500": "e35f7e34deeb2e2bdfe4403d88c8fdd5fbf64865cae41f027a185a6965f0a5df",
}


class _Read(Recordings):
    """Recordings SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac, with a transcript a chapter."""

    sample_rate = 16000

    def described(self, entry):
        name = Path(entry).stem
        speaker, chapter, number = name.split("-")
        text = os.path.join(self.folder, os.path.dirname(entry), f"{speaker}-{chapter}.trans.txt")
        for line in read_lines(text):
            who, _, transcript = line.strip().partition(" ")
            if who == name:
                return entry, transcript, int(speaker), int(chapter), int(number)
        raise DataFileError(f"{text}: expected a line for {name}, got none")


class LIBRISPEECH(_Read):
    """LibriSpeech: (waveform, 16000, transcript, speaker, chapter, utterance).

    `url` is the part: dev-clean, dev-other, test-clean, test-other, train-clean-100,
    train-clean-360 or train-other-500.
    """

    def __init__(
        self, root, url="train-clean-100", folder_in_archive="LibriSpeech", download=False
    ):
        one_of("LIBRISPEECH: url", url, _SPEECH)
        archive = Archive(f"{_SLR}12/{url}.tar.gz", _SPEECH[url], made=f"{folder_in_archive}/{url}")
        super().__init__(root, folder_in_archive, [archive], download)
        self.entries = self.listed(f"{url}/*/*/*.flac")


class LibriSpeechBiasing(LIBRISPEECH):
    """LibriSpeech with a list of rare words: (..., utterance, those of `blist` that are said)."""

    def __init__(
        self, root, url="train-clean-100", folder_in_archive="LibriSpeech", download=False,
        blist=None,
    ):  # fmt: skip
        super().__init__(root, url, folder_in_archive, download)
        self.blist = set(blist or ())

    def described(self, entry):
        path, transcript, *rest = super().described(entry)
        said = dict.fromkeys(word for word in transcript.split() if word in self.blist)
        return path, transcript, *rest, list(said)


class LibriLightLimited(_Read):
    """Libri-light's few hours with transcripts, 10min, 1h or 10h: samples as LIBRISPEECH.

    Kahn et al., "Libri-light: a benchmark for ASR with limited or no supervision" (2020).
    """

    _parts = {"10min": ("1h/0",), "1h": ("1h/*",), "10h": ("1h/*", "9h")}

    def __init__(self, root, subset="10min", download=False):
        one_of("LibriLightLimited: subset", subset, self._parts)
        archive = Archive(
            "https://dl.fbaipublicfiles.com/librilight/data/librispeech_finetuning.tgz",
            "5d1efdc777b548194d7e09ba89126e2188026df9fd57aa57eb14408d2b2342af",
            made="librispeech_finetuning",
        )
        super().__init__(root, archive.made, [archive], download)
        found = [
            path for part in self._parts[subset] for path in self.listed(f"{part}/*/*/*/*.flac")
        ]
        self.entries = sorted(found, key=lambda path: (str(Path(path).parents[2]), Path(path).stem))


class LIBRITTS(Recordings):
    """LibriTTS: (waveform, rate, as written, as said, speaker, chapter, utterance).

    `url` is the part, as in LIBRISPEECH. Zen et al., "LibriTTS" (2019).
    """

    def __init__(self, root, url="train-clean-100", folder_in_archive="LibriTTS", download=False):
        one_of("LIBRITTS: url", url, _TTS)
        archive = Archive(f"{_SLR}60/{url}.tar.gz", _TTS[url], made=f"{folder_in_archive}/{url}")
        super().__init__(root, archive.made, [archive], download)
        self.entries = self.listed("*/*/*.wav")

    def described(self, entry):
        name = Path(entry).stem
        texts = (
            os.path.join(self.folder, os.path.dirname(entry), f"{name}.{kind}.txt")
            for kind in ("original", "normalized")
        )
        speaker, chapter, *_ = name.split("_")
        return entry, *("".join(read_lines(t)[:1]) for t in texts), int(speaker), int(chapter), name
