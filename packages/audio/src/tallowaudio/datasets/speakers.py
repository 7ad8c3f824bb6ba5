"""Recordings by speaker: who speaks, and how they feel."""

import os
import shutil
from pathlib import Path

from tallow.utils.datasets import Archive, File, extract, parsed, read_lines
from tallowaudio.datasets._files import Recordings, one_of

_VOX = "https://thor.robots.ox.ac.uk/~vgg/data/voxceleb/vox1a/"
_META = "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/meta/"
_DEV_PARTS = {
    "vox1_dev_wav_partaa": "21ec6ca843659ebc2fdbe04b530baa4f191ad4b0971912672d92c158f32226a0",
    "vox1_dev_wav_partab": "311d21e0c8cbf33573a4fce6c80e5a279d80736274b381c394319fc557159a04",
    "vox1_dev_wav_partac": "92b64465f2b2a3dc0e4196ae8dd6828cbe9ddd1f089419a11e4cbfe2e1750df0",
    "vox1_dev_wav_partad": "00e6190c770b27f27d2a3dd26ee15596b17066b715ac111906861a7d09a211a5",
}
_TEST = "8de57f347fe22b2c24526e9f444f689ecf5096fc2a92018cf420ff6b5b15eaea"


class VoxCeleb1(Recordings):
    """Celebrities' voices from videos: the base of its two tasks. Nagrani et al. (2017)."""

    sample_rate = 16000

    def __init__(self, root, meta_url, download=False):
        root = os.path.expanduser(os.fspath(root))
        if download and not os.path.isdir(os.path.join(root, "wav")):
            self._download(root)
        meta = File(meta_url)
        super().__init__(root, "wav", [meta], download)
        self.rows = read_lines(os.path.join(root, meta.makes))

    @staticmethod
    def _download(root):
        """The parts of one archive joined, and another, unpacked."""
        whole = Path(root, "vox1_dev_wav.zip")
        parts = [File(_VOX + name, digest).get(root) for name, digest in _DEV_PARTS.items()]
        with open(whole, "wb") as file:
            for part in parts:
                with open(part, "rb") as opened:
                    shutil.copyfileobj(opened, file)
        extract(whole, root)
        Archive(_VOX + "vox1_test_wav.zip", _TEST).get(root)

    @staticmethod
    def _name(path):
        """SPEAKER-VIDEO-NUMBER of SPEAKER/VIDEO/NUMBER.wav."""
        return "-".join(Path(path).with_suffix("").parts[-3:])


class VoxCeleb1Identification(VoxCeleb1):
    """Who of 1,251 speaks: (waveform, 16000, speaker, file); `subset` is train, dev or test."""

    def __init__(self, root, subset="train", meta_url=_META + "iden_split.txt", download=False):
        numbers = {"train": "1", "dev": "2", "test": "3"}
        one_of("VoxCeleb1Identification: subset", subset, numbers)
        super().__init__(root, meta_url, download)
        rows = parsed(meta_url, self.rows, lambda line: tuple(line.split(maxsplit=1)))
        self.entries = sorted(path for number, path in rows if number == numbers[subset])

    def described(self, entry):
        name = self._name(entry)
        return entry, int(name.partition("-")[0][3:]), name


class VoxCeleb1Verification(VoxCeleb1):
    """Whether two are one: (waveform, waveform, 16000, 1 if so else 0, file, file)."""

    def __init__(self, root, meta_url=_META + "veri_test.txt", download=False):
        super().__init__(root, meta_url, download)

        def entry(line):
            same, first, second = line.split()
            return int(same), first, second

        self.entries = parsed(meta_url, self.rows, entry)

    def get_metadata(self, n):
        same, *paths = self.entries[n]
        return *paths, self.sample_rate, same, *map(self._name, paths)

    def __getitem__(self, n):
        first, second, *rest = self.get_metadata(n)
        return self.waveform(first)[0], self.waveform(second)[0], *rest


class IEMOCAP(Recordings):
    """Actors' dialogues, downloaded by hand: (waveform, 16000, file, emotion, speaker).

    `sessions` are of 1 to 5; `utterance_type` is scripted, improvised or None, both. The emotions
    are neu, hap, ang, sad, exc and fru. Busso et al., "IEMOCAP" (2008).
    """

    sample_rate = 16000
    emotions = ("neu", "hap", "ang", "sad", "exc", "fru")

    def __init__(self, root, sessions=(1, 2, 3, 4, 5), utterance_type=None):
        kinds = {"scripted": "*script*.txt", "improvised": "*impro*.txt", None: "*.txt"}
        one_of("IEMOCAP: utterance_type", utterance_type, kinds)
        super().__init__(root, "IEMOCAP")
        for session in sessions:
            base = f"Session{session}"
            emotions = {}
            for text in self.listed(f"{base}/dialog/EmoEvaluation/{kinds[utterance_type]}"):
                lines = read_lines(os.path.join(self.folder, text), "latin-1")
                rows = (line.split("\t") for line in lines if line.startswith("["))
                emotions |= {row[1]: row[2] for row in rows if row[2] in self.emotions}
            paths = self.listed(f"{base}/sentences/wav/*/*.wav")
            named = ((path, Path(path).stem) for path in paths)
            self.entries += [
                (path, name, emotions[name]) for path, name in named if name in emotions
            ]

    def described(self, entry):
        path, name, emotion = entry
        return path, name, emotion, name.partition("_")[0]
