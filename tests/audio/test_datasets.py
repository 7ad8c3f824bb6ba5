"""Datasets, from archives as their publishers lay them out, through downloads on loopback."""

import io

import pytest

import tallow
import tallowaudio
from tallow.errors import TallowError
from tallow.testing.datasets import archive, publishing
from tallow.utils.data import DataLoader
from tallow.utils.datasets import DataFileError, MissingFilesError
from tallowaudio import datasets


def sound(format="wav", rate=16000, channels=1, frames=480):
    """The bytes of a sound file."""
    made = io.BytesIO()
    tallowaudio.save(made, tallow.zeros(channels, frames) + 0.25, rate, format=format)
    return made.getvalue()


@pytest.fixture
def publish():
    """Publishes archives {name: {path: content}}; see `publishing`."""
    with publishing() as publish:
        yield publish


def read_aloud(base, *names):
    """LibriSpeech's files: FLAC, and a transcript for each chapter."""
    files = {}
    for name in names:
        speaker, chapter, number = name.split("-")
        folder = f"{base}/{speaker}/{chapter}"
        files[f"{folder}/{name}.flac"] = sound("flac")
        text = f"{folder}/{speaker}-{chapter}.trans.txt"
        files[text] = files.get(text, b"") + f"{name} WORDS OF {number}\n".encode()
    return files


_COMMANDS = {
    **{f"./{path}": sound() for path in
       ("yes/a1_nohash_0.wav", "yes/b2_nohash_1.wav", "no/c3_nohash_0.wav", "no/d4_nohash_2.wav",
        "_background_noise_/hiss_nohash_0.wav")},
    "./testing_list.txt": b"yes/b2_nohash_1.wav\n",
    "./validation_list.txt": b"no/d4_nohash_2.wav\n",
}  # fmt: skip
_COMMANDS = {"speech_commands_v0.02.tar.gz": _COMMANDS}
_LIBRI = {
    "dev-clean.tar.gz": read_aloud(
        "LibriSpeech/dev-clean", "84-121-0000", "84-121-0001", "7-3-0002"
    )
}
_LIGHT = {"librispeech_finetuning.tgz": {
    **read_aloud("librispeech_finetuning/1h/0/clean", "1-2-0003"),
    **read_aloud("librispeech_finetuning/1h/5/other", "4-5-0006"),
    **read_aloud("librispeech_finetuning/9h/clean", "7-8-0009"),
}}  # fmt: skip
_LIGHT_PATHS = ("1h/0/clean", "1h/5/other", "9h/clean")
_TTS = {"dev-clean.tar.gz": {
    f"LibriTTS/dev-clean/84/121/84_121_000001_000002{ending}": content for ending, content in
    ((".wav", sound()), (".original.txt", b"Mr. X\n"), (".normalized.txt", b"Mister X"))
}}  # fmt: skip
_LJ = {"LJSpeech-1.1.tar.bz2": {
    "LJSpeech-1.1/wavs/LJ001-0001.wav": sound(rate=22050),
    "LJSpeech-1.1/metadata.csv": b'LJ001-0001|He said "1|He said "one\n',
}}  # fmt: skip
_VCTK = {"VCTK-Corpus-0.92.zip": {
    **{f"txt/{n[:4]}/{n}.txt": f"Please {n}\n".encode()
       for n in ("p225_001", "p280_001", "p362_001", "p362_002")},
    **{f"wav48_silence_trimmed/{n[:4]}/{n}_{mic}.flac": sound("flac", 48000)
       for n, mic in (("p225_001", "mic2"), ("p280_001", "mic1"), ("p225_001", "mic1"),
                      ("p362_002", "mic2"), ("p362_001", "mic1"))},
}}  # fmt: skip
_ARCTIC = {"cmu_us_slt_arctic.tar.bz2": {
    "cmu_us_slt_arctic/etc/txt.done.data": b'( arctic_a0001 "Author of it, etc." )\n',
    "cmu_us_slt_arctic/wav/arctic_a0001.wav": sound(),
}}  # fmt: skip
_TALK = b"Al_2001 1 AlGore 0.01 0.02 <o,f0,male> thank you\n"
_TED1 = {"TEDLIUM_release1.tar.gz": {
    "TEDLIUM_release1/dev/stm/Al_2001.stm": _TALK,
    "TEDLIUM_release1/dev/sph/Al_2001.sph": sound("sph"),
    "TEDLIUM_release1/TEDLIUM.150K.dic": b"a AH\nabe EY B\n",
}}  # fmt: skip
_TED3 = {"TEDLIUM_release-3.tgz": {
    f"TEDLIUM_release-3/{part}/{path}": content for part in ("data", "legacy/test")
    for path, content in (("stm/Al_2001.stm", _TALK), ("sph/Al_2001.sph", sound("sph")))
}}  # fmt: skip
_GTZAN = {"genres.tar.gz": {
    f"genres/{name[:-6]}/{name}.wav": sound(rate=22050)
    for name in ("blues.00012", "rock.00038", "rock.00099")
}}  # fmt: skip
_YESNO = {"waves_yesno.tar.gz": {f"waves_yesno/{name}.wav": sound(rate=8000)
                                 for name in ("1_0_0_0_0_0_0_1", "0_1_1_1_1_1_1_0")}}  # fmt: skip
_DIGITS = {"master.zip": {
    f"free-spoken-digit-dataset-master/recordings/{name}.wav": sound(rate=8000)
    for name in ("7_theo_0", "7_theo_4", "3_lucas_5", "0_george_49")
}}  # fmt: skip
_DRVCTK = {"DR-VCTK.zip": {
    "DR-VCTK/configurations/test_ch_log.txt": b"heading\np257_376.wav\tdesk\t3\n",
    "DR-VCTK/configurations/train_ch_log.txt": b"heading\n\np226_011.wav\troom\t1\n",
    "DR-VCTK/clean_testset_wav_16k/p257_376.wav": sound(),
    "DR-VCTK/device-recorded_testset_wav_16k/p257_376.wav": sound(),
}}  # fmt: skip
_DRVCTK = {"DR-VCTK.zip": {f"DR-VCTK/{k}": v for k, v in _DRVCTK["DR-VCTK.zip"].items()}}
_QUESST = {"quesst14Database.tgz": {
    "quesst14Database/scoring/language_key_dev.lst":
        b"quesst14Database/dev_queries/a.wav nnenglish\nx/dev_queries/b.wav czech\n",
    "quesst14Database/dev_queries/a.wav": sound(rate=8000),
    "quesst14Database/dev_queries/b.wav": sound(rate=8000),
}}  # fmt: skip
_SONG = {f"train/A Song/{source}.wav": sound(rate=44100, channels=2)
         for source in ("bass", "drums", "other", "vocals", "mixture")}  # fmt: skip
_SONG |= {f"train/Leaf - Summerghost/{source}.wav": sound(rate=44100, channels=2)
          for source in ("vocals", "mixture")}  # fmt: skip
_VOX_ZIP = archive("x.zip", {"wav/id10001/abc/00001.wav": sound()})
_VOX = {
    f"vox1_dev_wav_parta{letter}": _VOX_ZIP[i * len(_VOX_ZIP) // 4 : (i + 1) * len(_VOX_ZIP) // 4]
    for i, letter in enumerate("abcd")
} | {
    "vox1_test_wav.zip": {"wav/id10002/xyz/00002.wav": sound()},
    "iden_split.txt": b"1 id10001/abc/00001.wav\n3 id10002/xyz/00002.wav\n",
    "veri_test.txt": b"1 id10001/abc/00001.wav id10001/abc/00001.wav\n"
    b"0 id10001/abc/00001.wav id10002/xyz/00002.wav\n",
}

# A dataset, its arguments, what is published, and samples without their waveforms.
CASES = [
    ("SPEECHCOMMANDS", {}, _COMMANDS,
     [(16000, "no", "c3", 0), (16000, "no", "d4", 2), (16000, "yes", "a1", 0),
      (16000, "yes", "b2", 1)]),
    ("SPEECHCOMMANDS", {"subset": "training"}, _COMMANDS,
     [(16000, "no", "c3", 0), (16000, "yes", "a1", 0)]),
    ("SPEECHCOMMANDS", {"subset": "testing"}, _COMMANDS, [(16000, "yes", "b2", 1)]),
    ("SPEECHCOMMANDS", {"subset": "validation"}, _COMMANDS, [(16000, "no", "d4", 2)]),
    ("LIBRISPEECH", {"url": "dev-clean"}, _LIBRI,
     [(16000, "WORDS OF 0002", 7, 3, 2), (16000, "WORDS OF 0000", 84, 121, 0),
      (16000, "WORDS OF 0001", 84, 121, 1)]),
    ("LibriSpeechBiasing", {"url": "dev-clean", "blist": ["OF", "0001"]}, _LIBRI,
     [(16000, "WORDS OF 0002", 7, 3, 2, ["OF"]), (16000, "WORDS OF 0000", 84, 121, 0, ["OF"]),
      (16000, "WORDS OF 0001", 84, 121, 1, ["OF", "0001"])]),
    ("LibriLightLimited", {}, _LIGHT, [(16000, "WORDS OF 0003", 1, 2, 3)]),
    ("LibriLightLimited", {"subset": "10h"}, _LIGHT,
     [(16000, "WORDS OF 0003", 1, 2, 3), (16000, "WORDS OF 0006", 4, 5, 6),
      (16000, "WORDS OF 0009", 7, 8, 9)]),
    ("LIBRITTS", {"url": "dev-clean"}, _TTS,
     [(16000, "Mr. X", "Mister X", 84, 121, "84_121_000001_000002")]),
    ("LJSPEECH", {}, _LJ, [(22050, 'He said "1', 'He said "one')]),
    ("VCTK_092", {}, _VCTK,
     [(48000, "Please p225_001", "p225", "001"), (48000, "Please p362_002", "p362", "002")]),
    ("CMUARCTIC", {"url": "slt"}, _ARCTIC, [(16000, "Author of it, etc.", "a0001")]),
    ("TEDLIUM", {"subset": "dev"}, _TED1,
     [(16000, "thank you", "Al_2001", "AlGore", "<o,f0,male>")]),
    *(("TEDLIUM", {"release": "release3", "subset": subset}, _TED3,
       [(16000, "thank you", "Al_2001", "AlGore", "<o,f0,male>")]) for subset in ("train", "test")),
    ("GTZAN", {}, _GTZAN, [(22050, "blues"), (22050, "rock"), (22050, "rock")]),
    ("YESNO", {}, _YESNO, [(8000, [0, 1, 1, 1, 1, 1, 1, 0]), (8000, [1, 0, 0, 0, 0, 0, 0, 1])]),
    ("FSDD", {"subset": "train"}, _DIGITS, [(8000, 0, "george", 49), (8000, 3, "lucas", 5)]),
    ("FSDD", {"subset": "test"}, _DIGITS, [(8000, 7, "theo", 0), (8000, 7, "theo", 4)]),
    ("QUESST14", {"subset": "dev"}, _QUESST, [(8000, "a")]),
    ("QUESST14", {"subset": "dev", "language": None}, _QUESST, [(8000, "a"), (8000, "b")]),
    ("VoxCeleb1Identification", {"subset": "test"}, _VOX, [(16000, 2, "id10002-xyz-00002")]),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_published(publish, tmp_path, number):
    """Downloaded, listed, loaded; there again without a download."""
    name, arguments, published, expected = CASES[number]
    publish(published)
    dataset = getattr(datasets, name)(tmp_path / "data", **arguments, download=True)
    assert [sample[1:] for sample in dataset] == expected
    for sample in dataset:
        assert sample[0].shape[0] == 1 and abs(sample[0][0, 0] - 0.25) < 1e-3
    again = getattr(datasets, name)(str(tmp_path / "data"), **arguments)
    assert len(again) == len(expected)
    path, *rest = again.get_metadata(0)
    assert isinstance(path, str) and tuple(rest[1:]) == expected[0][1:]


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_missing(tmp_path, name):
    arguments = {"subset": "dev"} if name == "QUESST14" else {}
    with pytest.raises(RuntimeError, match=f"{name}: expected .*which does not exist") as caught:
        getattr(datasets, name)(tmp_path, **arguments)
    assert isinstance(caught.value, MissingFilesError)


def test_parts_of_gtzan(publish, tmp_path):
    publish(_GTZAN)
    dataset = datasets.GTZAN(tmp_path, download=True, subset="testing")
    assert len(dataset) == 290 and dataset[0][2] == "blues"
    assert [len(datasets.GTZAN(tmp_path, subset=s)) for s in ("training", "validation")] == [
        443,
        197,
    ]


def test_tedlium_takes_its_part_of_a_talk(publish, tmp_path):
    publish(_TED1)
    dataset = datasets.TEDLIUM(tmp_path, subset="dev", download=True)
    assert dataset[0][0].shape == (1, 160)
    assert dataset.phoneme_dict == {"a": ("AH",), "abe": ("EY", "B")}


def test_dr_vctk(publish, tmp_path):
    publish(_DRVCTK)
    dataset = datasets.DR_VCTK(tmp_path, "test", download=True)
    clean, rate, recorded, rate_too, *rest = dataset[0]
    assert rate == rate_too == 16000 and clean.shape == recorded.shape == (1, 480)
    assert rest == ["p257", "376", "desk", 3] and len(datasets.DR_VCTK(tmp_path)) == 1


def test_musdb(publish, tmp_path):
    publish({"musdb18hq.zip": _SONG})
    dataset = datasets.MUSDB_HQ(tmp_path, "train", download=True)
    stems, rate, frames, name = dataset[0]
    assert (stems.shape, rate, frames, name) == ((4, 2, 480), 44100, 480, "A Song")
    assert dataset.names == ["A Song", "Leaf - Summerghost"]
    assert datasets.MUSDB_HQ(tmp_path, "train", split="train").names == ["A Song"]
    held = datasets.MUSDB_HQ(tmp_path, "train", ["vocals"], "validation")
    assert len(held) == 14 and held[held.names.index("Leaf - Summerghost")][0].shape == (1, 2, 480)
    shorter = tmp_path / "musdb18hq" / "train" / "A Song" / "bass.wav"
    shorter.write_bytes(sound(rate=44100, channels=2, frames=100))
    with pytest.raises(DataFileError, match="A Song: expected stems of one length"):
        dataset[0]


def test_voxceleb_verification(publish, tmp_path):
    publish(_VOX)
    dataset = datasets.VoxCeleb1Verification(tmp_path, download=True)
    first, second, *rest = dataset[1]
    assert first.shape == second.shape == (1, 480)
    assert rest == [16000, 0, "id10001-abc-00001", "id10002-xyz-00002"]
    assert dataset.get_metadata(0)[2:4] == (16000, 1)


def test_cmudict(publish, tmp_path):
    words = b";;; comment\n!EXCLAMATION-POINT  EH2\n'BOUT  B AW1 T\n'END-QUOTE  EH1 N\n"
    words += b"...ELLIPSIS  IH2\n;SEMI-COLON(1)  S\nCAF\xc9(2)  K AH0\n"
    publish({"cmudict-0.7b": words, "cmudict-0.7b.symbols": b"AH0\nB\n"})
    dataset = datasets.CMUDict(tmp_path, download=True)
    assert list(dataset) == [("'BOUT", ["B", "AW1", "T"]), ("CAF\xc9", ["K", "AH0"])]
    assert dataset.symbols == ["AH0", "B"]
    marks = [word for word, _ in datasets.CMUDict(tmp_path, exclude_punctuations=False)]
    assert marks == ["!", "'BOUT", "'", "...", ";", "CAF\xc9"]
    with pytest.raises(MissingFilesError, match="cmudict-0.7b.symbols, which does not exist"):
        datasets.CMUDict(tmp_path / "other")


def laid_out(folder, files):
    for path, content in files.items():
        path = folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_by_hand(tmp_path):
    """Datasets that cannot be downloaded without a form."""
    laid_out(tmp_path, {
        "cv/train.tsv": b'client_id\tpath\tsentence\nab\tx.mp3\tSay "it\n',
        "cv/clips/x.mp3": sound("mp3"),
        "fluent_speech_commands_dataset/data/valid_data.csv":
            b",path,speakerId,transcription,action,object,location\n"
            b"0,wavs/speakers/2B/a1.wav,2B,lights on,activate,lights,none\n",
        "fluent_speech_commands_dataset/wavs/speakers/2B/a1.wav": sound(),
        "SNIPS/test/Amy-snips-test-0.wav": sound(), "SNIPS/test/Bob-snips-test-0.wav": sound(),
        "SNIPS/all.iob.snips.txt": b"Amy-snips-test-0 BOS play it EOS\tO O B-x O Play\n",
        "IEMOCAP/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt":
            b"% notes\n[6.29 - 8.23]\tSes01F_impro01_F000\tneu\t[2.5]\n[8 - 9]\tSes01F_x\txxx\t\n",
        "IEMOCAP/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": sound(),
        **{f"Libri2Mix/wav8k/min/dev/{part}/a_b.wav": sound(rate=8000)
           for part in ("mix_clean", "mix_both", "s1", "s2")},
    })  # fmt: skip
    voice = datasets.COMMONVOICE(tmp_path / "cv")
    assert voice[0][1:] == (16000, {"client_id": "ab", "path": "x.mp3", "sentence": 'Say "it'})
    fluent = datasets.FluentSpeechCommands(tmp_path, "valid")
    assert fluent[0][1:] == (16000, "a1", "2B", "lights on", "activate", "lights", "none")
    snips = datasets.Snips(tmp_path, "test", audio_format="wav")
    assert [s[1:] for s in snips] == [(16000, "Amy-snips-test-0", "play it", "O B-x O", "Play")]
    acted = datasets.IEMOCAP(tmp_path, (1,))
    assert [s[1:] for s in acted] == [(16000, "Ses01F_impro01_F000", "neu", "Ses01F")]
    assert len(datasets.IEMOCAP(tmp_path, (1,), "scripted")) == 0
    rate, mixture, sources = datasets.LibriMix(tmp_path, "dev")[0]
    assert (rate, mixture.shape, len(sources)) == (8000, (1, 480), 2)
    assert len(datasets.LibriMix(tmp_path, "dev", task="enh_both")[0][2]) == 1
    laid_out(tmp_path, {"Libri2Mix/wav8k/min/dev/s2/a_b.wav": sound(rate=8000, frames=9)})
    with pytest.raises(RuntimeError, match="a_b.wav: expected float32 .1, 480. as the mixture"):
        datasets.LibriMix(tmp_path, "dev")[0]


def test_folder(tmp_path):
    laid_out(tmp_path, {"cat/a.wav": sound(), "cat/deep/b.FLAC": sound("flac"),
                        "dog/c.ogg": sound("ogg"), "dog/notes.txt": b"none"})  # fmt: skip
    dataset = datasets.AudioFolder(tmp_path, transform=lambda x: x[:, :100])
    assert dataset.class_to_idx == {"cat": 0, "dog": 1}
    assert [(w.shape[1], rate, label) for w, rate, label in dataset] == [
        (100, 16000, 0), (100, 16000, 0), (100, 16000, 1)]  # fmt: skip
    waves, rates, labels = next(iter(DataLoader(dataset, batch_size=3)))
    assert waves.shape == (3, 1, 100) and labels.tolist() == [0, 0, 1]
    with pytest.raises(MissingFilesError, match="a folder for each class, got none"):
        datasets.AudioFolder(tmp_path / "dog")


def test_recordings_of_unequal_channels_do_not_form_a_batch(tmp_path):
    laid_out(tmp_path, {"a/1.wav": sound(), "a/2.wav": sound(channels=2)})
    loader = DataLoader(datasets.AudioFolder(tmp_path), batch_size=2)
    with pytest.raises(RuntimeError, match=r"\(1, 480\).*\(2, 480\)"):
        next(iter(loader))


def test_broken_files(tmp_path):
    """Another sample rate, a line of another form, a transcript that is missing."""
    laid_out(tmp_path, {"recordings/7_theo_0.wav": sound(rate=16000)})
    with pytest.raises(DataFileError, match="7_theo_0.wav: expected 8000 Hz, got 16000"):
        datasets.FSDD(tmp_path)[0]
    laid_out(tmp_path, {"recordings/seven.wav": sound(rate=8000)})
    with pytest.raises(DataFileError, match="recordings, line 2: got 'seven.wav'"):
        datasets.FSDD(tmp_path)
    files = read_aloud("LibriSpeech/dev-clean", "1-2-0003")
    files["LibriSpeech/dev-clean/1/2/1-2.trans.txt"] = b"1-2-0004 OTHER\n"
    laid_out(tmp_path, files)
    with pytest.raises(DataFileError, match="1-2.trans.txt: expected a line for 1-2-0003"):
        datasets.LIBRISPEECH(tmp_path, "dev-clean")[0]


def test_digits_that_came_with_the_package():
    digits = datasets.SyntheticDigits()
    assert len(digits) == 40 and {len(sample[0].nonzero()) > 2000 for sample in digits} == {True}
    waveform, *rest = datasets.SyntheticDigits(["awb", "slt"])[13]
    assert rest == [8000, 3, "slt"] and waveform.shape == (1, 6400)
    assert tallow.equal(waveform, digits[33][0]) and not tallow.equal(waveform, digits[3][0])
    assert digits.get_metadata(9) == ("kal.flac", 8000, 9, "kal")
    with pytest.raises(ValueError, match="SyntheticDigits: voices: expected one of .*got 'bob'"):
        datasets.SyntheticDigits(["bob"])


ERRORS = [
    ("SPEECHCOMMANDS", {"subset": "all"}), ("SPEECHCOMMANDS", {"url": "v3"}),
    ("FSDD", {"subset": "x"}), ("LIBRISPEECH", {"url": "dev"}), ("LIBRITTS", {"url": "dev"}),
    ("LibriLightLimited", {"subset": "2h"}), ("VCTK_092", {"mic_id": "mic3"}),
    ("CMUARCTIC", {"url": "xyz"}), ("TEDLIUM", {"release": "release4"}),
    ("TEDLIUM", {"subset": "all"}), ("GTZAN", {"subset": "x"}), ("MUSDB_HQ", {"subset": "dev"}),
    ("MUSDB_HQ", {"subset": "train", "split": "x"}), ("LibriMix", {"task": "sep"}),
    ("LibriMix", {"sample_rate": 1}), ("LibriMix", {"mode": "mid"}), ("DR_VCTK", {"subset": "x"}),
    ("QUESST14", {"subset": "all"}), ("QUESST14", {"subset": "dev", "language": "latin"}),
    ("Snips", {"subset": "all"}), ("Snips", {"subset": "test", "audio_format": "ogg"}),
    ("FluentSpeechCommands", {"subset": "x"}), ("IEMOCAP", {"utterance_type": "sung"}),
    ("VoxCeleb1Identification", {"subset": "all"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), ERRORS)
def test_arguments(tmp_path, name, arguments):
    with pytest.raises(ValueError, match=f"{name}: .*expected one of .*, got") as caught:
        getattr(datasets, name)(tmp_path, **arguments)
    assert isinstance(caught.value, TallowError)
