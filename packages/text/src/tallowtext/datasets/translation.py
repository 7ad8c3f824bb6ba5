"""Sentences in two languages."""

import os
import re
import tempfile
from pathlib import Path
from xml.sax.saxutils import unescape

from tallow.errors import ArgumentError
from tallow.utils.datasets import drive, extract, fetch
from tallowtext.data.readers import Records, lines
from tallowtext.datasets._published import Member, Pairs, chosen, folder_of, placed, unpack

__all__ = ["IWSLT2016", "IWSLT2017", "Multi30k"]

MULTI30K = "https://raw.githubusercontent.com/neychev/small_DL_repo/master/datasets/Multi30k/"
MULTI30K_FILES = {  # the archive, its SHA-256, and the name in it
    "train": ("training.tar.gz", "20140d013d05dd9a72dfde46478663ba05737ce983f478f960c1123c6671be5e",
              "train"),
    "valid": ("validation.tar.gz",
              "a7aa20e9ebd5ba5adce7909498b94410996040857154dab029851af3a866da8c", "val"),
    "test": ("mmt16_task1_test.tar.gz",
             "6d1ca1dba99e2c5dd54cae1226ff11c2551e6ce63527ebb072a1f70f72a5cd36", "test"),
}  # fmt: skip
SPLITS = ("train", "valid", "test")


def Multi30k(root=None, split=SPLITS, language_pair=("de", "en")):
    """What photographs show, in German and English: (source, target) in the order of the pair.

    Splits: train, valid, test. Files are kept below `root`.
    """
    if sorted(language_pair) != ["de", "en"]:
        raise ArgumentError(
            f"Multi30k: expected ('de', 'en') or ('en', 'de'), got {language_pair!r}"
        )

    def pairs(split):
        archive, digest, name = MULTI30K_FILES[split]
        url = MULTI30K + archive
        of_languages = [
            Member(url, digest, path=f"{name}.{language}") for language in language_pair
        ]
        folder = folder_of("Multi30k", root)
        return Pairs(*(_texts(placed(file, folder)) for file in of_languages))

    return chosen("Multi30k", split, SPLITS, pairs)


def _texts(path, ends=False):
    return Records(path, lines, None if ends else _without_end)


def _without_end(line):
    return line.strip("\n")


IWSLT2016_PAIRS = {
    "en": ["ar", "de", "fr", "cs"],
    **{code: ["en"] for code in "ar fr de cs".split()},
}
IWSLT2016_SETS = ("dev2010", "tst2010", "tst2011", "tst2012", "tst2013", "tst2014")
IWSLT2017_LANGUAGES = ("en", "nl", "de", "it", "ro")
SHAREPOINT = (
    "https://fbk.sharepoint.com/sites/MTUnit/_layouts/15/download.aspx?SourceUrl=%2Fsites%2FMTUnit"
    "%2FShared%20Documents%2Fwebsites%2FWIT3%2Dlibrary%2F2017%2D01%2Dtrnmted%2Etgz"
)


def IWSLT2016(
    root=None, split=SPLITS, language_pair=("de", "en"), valid_set="tst2013", test_set="tst2014"
):
    """Talks in English and Arabic, Czech, French or German: (source, target), lines with ends.

    Splits: train, valid, test, the latter two being sets from dev2010 to tst2014. Files are kept
    below `root`.
    """
    source, target = _pair("IWSLT2016", language_pair, IWSLT2016_PAIRS)
    missing = {"tst2014"} if "cs" in language_pair else set()
    known = [name for name in IWSLT2016_SETS if name not in missing]
    for name in (valid_set, test_set):
        if name not in known:
            raise ArgumentError(f"IWSLT2016: expected sets of {', '.join(known)}, got {name!r}")
    inner = f"texts/{source}/{target}/{source}-{target}"
    sets = {"train": "", "valid": f"IWSLT16.TED.{valid_set}", "test": f"IWSLT16.TED.{test_set}"}
    url = drive("1l5y6Giag9aRPwGtuZHswh3w5v3qEz8D8")
    files = url, "2016-01.tgz", "md5:c393ed3fc2a1b0f004b3331043f615ae", inner

    def pairs(split):
        folder = folder_of("IWSLT2016", root)
        return _talks(folder, files, sets[split], language_pair)

    return chosen("IWSLT2016", split, SPLITS, pairs)


def IWSLT2017(root=None, split=SPLITS, language_pair=("de", "en")):
    """Talks in two of Dutch, English, German, Italian, Romanian: (source, target) with line ends.

    Splits: train, valid, test. Files are kept below `root`.
    """
    others = {
        code: [other for other in IWSLT2017_LANGUAGES if other != code]
        for code in IWSLT2017_LANGUAGES
    }
    _pair("IWSLT2017", language_pair, others)
    inner = "texts/DeEnItNlRo/DeEnItNlRo/DeEnItNlRo-DeEnItNlRo"
    sets = {"train": "", "valid": "IWSLT17.TED.dev2010", "test": "IWSLT17.TED.tst2010"}
    files = SHAREPOINT, "2017-01-trnmted.tgz", "md5:aca701032b1c4411afc4d9fa367796ba", inner

    def pairs(split):
        folder = folder_of("IWSLT2017", root)
        return _talks(folder, files, sets[split], language_pair)

    return chosen("IWSLT2017", split, SPLITS, pairs)


def _pair(name, language_pair, known):
    if len(language_pair) != 2 or language_pair[1] not in known.get(language_pair[0], ()):
        pairs = ", ".join(f"{source}-{'/'.join(others)}" for source, others in known.items())
        raise ArgumentError(f"{name}: expected a pair of {pairs}, got {language_pair!r}")
    return language_pair


def _talks(folder, files, name, languages):
    """Pairs of lines from an archive within an archive, without the tags around them."""
    url, archive, digest, inner = files
    place = folder / archive.removesuffix(".tgz") / inner
    between = "-".join(languages)
    stem = f"{name}.{between}" if name else f"train.{between}"
    raw = f"{name}.{between}.{{}}.xml" if name else f"train.tags.{between}.{{}}"
    paths = [place / f"{stem}.{language}" for language in languages]
    if not all(path.exists() for path in paths):
        packed = place.with_name(f"{place.name}.tgz")
        if not packed.exists():
            unpack(fetch(url, folder / archive, digest), {f"{inner}.tgz": packed})
        place.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as below:
            extract(packed, below)
            for path, language in zip(paths, languages, strict=True):
                found = next(Path(below).rglob(raw.format(language)))
                _write_clean(found, path)
    return Pairs(*(_texts(path, ends=True) for path in paths))


TAGS = re.compile("<(?:url|keywords|talkid|description|reviewer|translator|title|speaker|doc|/doc)")


def _write_clean(path, target):
    """Write the sentences of a file with tags, one a line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".xml":
        found = re.findall(r"<seg[^>]*>(.*?)</seg>", text, re.DOTALL)
        kept = [unescape(line, {"&quot;": '"', "&apos;": "'"}) for line in found]
    else:
        kept = [line for line in text.split("\n")[:-1] if not TAGS.search(line)]
    partial = Path(f"{target}.partial")
    partial.write_text("".join(f"{line.strip()}\n" for line in kept), encoding="utf-8")
    os.replace(partial, target)
