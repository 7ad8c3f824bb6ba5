"""The reviews of IMDB, each in a file of its own in the archive."""

import os
import tarfile
from functools import partial
from pathlib import Path

from tallow.utils.datasets import fetch
from tallowtext.data.readers import Records, lines

URL = "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
LABELS = {"neg": 1, "pos": 2}


def labelled_reviews(folder, split):
    """The (label, review) samples of a split."""
    paths = {label: folder / "aclImdb_v1" / split / label for label in LABELS}
    if not all(path.exists() for path in paths.values()):
        _gather(fetch(URL, Path(folder, "aclImdb_v1.tar.gz"), f"md5:{MD5}"), split, paths)
    bad, good = (_of_label(path, LABELS[label]) for label, path in paths.items())
    return bad.concat(good)


def _of_label(path, label):
    return Records(path, lines, partial(_labelled, label))


def _labelled(label, line):
    return label, line.rstrip("\n")


def _gather(archive, split, paths):
    """Write the reviews of a split in an archive to a file for each label, one a line."""
    texts: dict[str, list[str]] = {label: [] for label in paths}
    with tarfile.open(archive) as members:
        for member in members:
            place = Path(member.name).parent
            file = members.extractfile(member)
            if file and place.parent.name == split and place.name in texts:
                texts[place.name].append(" ".join(file.read().decode("utf-8").splitlines()))
    for label, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(f"{path}.partial")
        partial.write_text("".join(f"{text}\n" for text in texts[label]), encoding="utf-8")
        os.replace(partial, path)
