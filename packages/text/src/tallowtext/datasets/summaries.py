"""Articles with summaries."""

from hashlib import sha1

from tallow.utils.datasets import drive, extract, fetch
from tallowtext.data.readers import TextLines
from tallowtext.data.streams import Stream, shared
from tallowtext.datasets._published import MissingMemberError, chosen, folder_of

__all__ = ["CNNDM"]

STORIES = {
    "cnn": ("0BwmD_VLjROrfTHk4NFg2SndKcjQ", "85ac23a1926a831e8f46a6b8eaf57263"),
    "dailymail": ("0BwmD_VLjROrfM1BxdkxVaTY2bWs", "f9c5f565e8abe86c38bfa4ae8f96fd72"),
}
LISTS = "https://raw.githubusercontent.com/abisee/cnn-dailymail/master/url_lists/"
SPLITS = {"train": "training", "val": "validation", "test": "test"}
ENDS = (".", "!", "?", "...", "'", "`", '"', "\u2019", "\u201d", ")")


def CNNDM(root=None, split=tuple(SPLITS)):
    """News of CNN and the Daily Mail: (article, its highlights).

    Splits: train, val, test. Files are kept below `root`. See et al., Get To The Point (2017).
    """
    folder = folder_of("CNNDM", root)
    return chosen("CNNDM", split, tuple(SPLITS), lambda one: Stories(folder, one))


class Stories(Stream):
    """The stories of a split, each in a file of its own, named by the SHA-1 of its address."""

    def __init__(self, folder, split):
        self.paths = []
        for source, (number, md5) in STORIES.items():
            stories = folder / source / "stories"
            if not stories.exists():
                extract(fetch(drive(number), folder / f"{source}_stories.tgz", f"md5:{md5}"))
            name = f"{source}_wayback_{SPLITS[split]}_urls.txt"
            for url in TextLines(fetch(LISTS + name, folder / name)):
                digest = sha1(url.encode(), usedforsecurity=False).hexdigest()
                self.paths.append(stories / f"{digest}.story")

    def __len__(self):
        return len(self.paths)

    def __iter__(self):
        for path in shared(self.paths):
            if not path.exists():
                raise MissingMemberError(f"{path}: expected a story of the archive, got none")
            yield story(TextLines(path))


def story(lines):
    """The article and the highlights in the lines of a story; each line ends as a sentence does."""
    article, highlights, of_highlight = [], [], False
    for line in map(str.strip, lines):
        if line.startswith("@highlight"):
            of_highlight = True
        elif line:
            line = line if line.endswith(ENDS) or "@highlight" in line else f"{line} ."
            (highlights if of_highlight else article).append(line)
    return " ".join(article), " ".join(highlights)
