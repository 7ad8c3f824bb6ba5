"""Speech with transcripts."""

import csv
import os
from pathlib import Path

from tallow.utils.datasets import Archive, parsed, read_lines
from tallowaudio.datasets._files import Recordings, one_of


class YESNO(Recordings):
    """ "Yes" and "no" in Hebrew, eight in each of 60 recordings: (waveform, rate, [1, 0, ...])."""

    def __init__(
        self, root, url="http://www.openslr.org/resources/1/waves_yesno.tar.gz",
        folder_in_archive="waves_yesno", download=False,
    ):  # fmt: skip
        digest = "c3f49e0cca421f96b75b41640749167b52118f232498667ca7a5f9416aef8e73"
        archive = Archive(url, digest, made=folder_in_archive)
        super().__init__(root, folder_in_archive, [archive], download)
        self.entries = self.listed("*.wav")

    def described(self, entry):
        return entry, [int(digit) for digit in Path(entry).stem.split("_")]


class LJSPEECH(Recordings):
    """24 hours of one reader, Ito and Johnson (2017): (waveform, rate, as written, as said)."""

    def __init__(
        self, root, url="https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
        folder_in_archive="wavs", download=False,
    ):  # fmt: skip
        base = url.rpartition("/")[2].removesuffix(".tar.bz2")
        digest = "be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5"
        archive = Archive(url, digest, made=base)
        super().__init__(root, os.path.join(base, folder_in_archive), [archive], download)
        path = os.path.join(self.root, base, "metadata.csv")
        rows = csv.reader(read_lines(path), delimiter="|", quoting=csv.QUOTE_NONE)
        self.entries = parsed(path, rows, lambda row: (f"{row[0]}.wav", row[1], row[2]))

    def described(self, entry):
        return entry


class VCTK_092(Recordings):
    """110 speakers of English accents: (waveform, rate, transcript, speaker, utterance).

    `mic_id` is mic1 or mic2, which heard the same. Yamagishi et al., "CSTR VCTK Corpus" (2019).
    """

    def __init__(
        self, root, mic_id="mic2", download=False,
        url="https://datashare.is.ed.ac.uk/bitstream/handle/10283/3443/VCTK-Corpus-0.92.zip",
        audio_ext=".flac",
    ):  # fmt: skip
        one_of("VCTK_092: mic_id", mic_id, ("mic1", "mic2"))
        digest = "f96258be9fdc2cbff6559541aae7ea4f59df3fcaf5cf963aae5ca647357e359c"
        archive = Archive(url, digest, made="VCTK-Corpus-0.92", into="VCTK-Corpus-0.92")
        super().__init__(root, archive.made, [archive], download)
        for text in self.listed("txt/*/*.txt"):
            name = Path(text).stem
            speaker, utterance = name.split("_")
            path = f"wav48_silence_trimmed/{speaker}/{name}_{mic_id}{audio_ext}"
            absent = speaker == "p280" and mic_id == "mic2"  # some were not recorded
            if speaker == "p362":
                absent = not os.path.exists(os.path.join(self.folder, path))
            if not absent:
                self.entries.append((path, text, speaker, utterance))

    def described(self, entry):
        path, text, speaker, utterance = entry
        return path, read_lines(os.path.join(self.folder, text))[0], speaker, utterance


_ARCTIC = {
    "aew": "645cb33c0f0b2ce41384fdd8d3db2c3f5fc15c1e688baeb74d2e08cab18ab406",
    "ahw": "024664adeb892809d646a3efd043625b46b5bfa3e6189b3500b2d0d59dfab06c",
    "aup": "2c55bc3050caa996758869126ad10cf42e1441212111db034b3a45189c18b6fc",
    "awb": "d74a950c9739a65f7bfc4dfa6187f2730fa03de5b8eb3f2da97a51b74df64d3c",
    "axb": "dd65c3d2907d1ee52f86e44f578319159e60f4bf722a9142be01161d84e330ff",
    "bdl": "26b91aaf48b2799b2956792b4632c2f926cd0542f402b5452d5adecb60942904",
    "clb": "3f16dc3f3b97955ea22623efb33b444341013fc660677b2e170efdcc959fa7c6",
    "eey": "8a0ee4e5acbd4b2f61a4fb947c1730ab3adcc9dc50b195981d99391d29928e8a",
    "fem": "3fcff629412b57233589cdb058f730594a62c4f3a75c20de14afe06621ef45e2",
    "gka": "dc82e7967cbd5eddbed33074b0699128dbd4482b41711916d58103707e38c67f",
    "jmk": "3a37c0e1dfc91e734fdbc88b562d9e2ebca621772402cdc693bbc9b09b211d73",
    "ksp": "8029cafce8296f9bed3022c44ef1e7953332b6bf6943c14b929f468122532717",
    "ljm": "b23993765cbf2b9e7bbc3c85b6c56eaf292ac81ee4bb887b638a24d104f921a0",
    "lnh": "4faf34d71aa7112813252fb20c5433e2fdd9a9de55a00701ffcbf05f24a5991a",
    "rms": "c6dc11235629c58441c071a7ba8a2d067903dfefbaabc4056d87da35b72ecda4",
    "rxr": "1fa4271c393e5998d200e56c102ff46fcfea169aaa2148ad9e9469616fbfdd9b",
    "slp": "54345ed55e45c23d419e9a823eef427f1cc93c83a710735ec667d068c916abf1",
    "slt": "7c173297916acf3cc7fcab2713be4c60b27312316765a90934651d367226b4ea",
}


class CMUARCTIC(Recordings):
    """1,150 sentences by each of 18 speakers: (waveform, rate, transcript, utterance).

    `url` is the speaker, three letters. Kominek and Black, "CMU ARCTIC databases" (2003).
    """

    def __init__(self, root, url="aew", folder_in_archive="ARCTIC", download=False):
        one_of("CMUARCTIC: url", url, _ARCTIC)
        name = f"cmu_us_{url}_arctic"
        archive = Archive(
            f"http://www.festvox.org/cmu_arctic/packed/{name}.tar.bz2", _ARCTIC[url],
            made=f"{folder_in_archive}/{name}", into=folder_in_archive,
        )  # fmt: skip
        super().__init__(root, archive.made, [archive], download)
        path = os.path.join(self.folder, "etc", "txt.done.data")

        def entry(line):  # ( arctic_a0001 "Author of the danger trail." )
            name, transcript = line.strip().split(" ", 2)[1:]
            return f"wav/{name}.wav", transcript[1:-3], name.split("_")[1]

        self.entries = parsed(path, read_lines(path), entry)

    def described(self, entry):
        return entry


_TED = {  # archive, SHA-256, folder, data below it, dictionary
    "release1": ("7/TEDLIUM_release1.tar.gz",
                 "30301975fd8c5cac4040c261c0852f57cfa8adbbad2ce78e77e4986957445f27",
                 "TEDLIUM_release1", "", "TEDLIUM.150K.dic"),
    "release2": ("19/TEDLIUM_release2.tar.gz",
                 "93281b5fcaaae5c88671c9d000b443cb3c7ea3499ad12010b3934ca41a7b9c58",
                 "TEDLIUM_release2", "", "TEDLIUM.152k.dic"),
    "release3": ("51/TEDLIUM_release-3.tgz",
                 "ad1e454d14d1ad550bc2564c462d87c7a7ec83d4dc2b9210f22ab4973b9eccdb",
                 "TEDLIUM_release-3", "data", "TEDLIUM.152k.dic"),
}  # fmt: skip


class TEDLIUM(Recordings):
    """Talks of the TED conferences: (waveform, rate, transcript, talk, speaker, identifier).

    `release` is release1 to release3, `subset` train, test or dev. Rousseau et al. (2012).
    """

    sample_rate = 16000

    def __init__(self, root, release="release1", subset="train", download=False, audio_ext=".sph"):
        one_of("TEDLIUM: release", release, _TED)
        one_of("TEDLIUM: subset", subset, ("train", "test", "dev"))
        address, digest, base, data, dictionary = _TED[release]
        archive = Archive(f"http://www.openslr.org/resources/{address}", digest, made=base)
        if release == "release3":
            data, subset = (data, "") if subset == "train" else ("legacy", subset)
        super().__init__(root, os.path.join(base, data, subset), [archive], download)
        self._dictionary = os.path.join(self.root, base, dictionary)
        for stm in self.listed("stm/*.stm"):
            path = os.path.join(self.folder, stm)
            audio = f"sph/{Path(stm).stem}{audio_ext}"
            self.entries += [(audio, *row) for row in parsed(path, read_lines(path), self._row)]

    @staticmethod
    def _row(line):
        talk, _, speaker, start, end, identifier, transcript = line.split(" ", 6)
        return float(start), float(end), transcript, talk, speaker, identifier

    def described(self, entry):
        path, _, _, *rest = entry
        return path, *rest

    def __getitem__(self, n):
        path, start, end, *rest = self.entries[n]
        start, end = (int(seconds * self.sample_rate) for seconds in (start, end))
        return *self.waveform(path, start, end - start), *rest

    @property
    def phoneme_dict(self):
        """A dict from words to tuples of phonemes."""
        rows = (line.split() for line in read_lines(self._dictionary))
        return {row[0]: tuple(row[1:]) for row in rows if row}


class COMMONVOICE(Recordings):
    """Mozilla's Common Voice, downloaded by hand: (waveform, rate, a dict of what is known).

    `root` is a language's folder, `tsv` the list in it. Ardila et al., "Common Voice" (2020).
    """

    def __init__(self, root, tsv="train.tsv"):
        super().__init__(root)
        rows = csv.DictReader(
            read_lines(os.path.join(self.folder, tsv)), delimiter="\t", quoting=csv.QUOTE_NONE
        )
        self.entries = list(rows)

    def described(self, entry):
        name = entry["path"]
        return f"clips/{name if name.endswith('.mp3') else f'{name}.mp3'}", entry
