"""Photographs with sentences about them: Flickr8k, Flickr30k, SBU."""

import os
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

from tallow.utils.datasets import Archive, DownloadError, File, parsed, read_lines
from tallowvision.datasets._files import ListedImages
from tallowvision.datasets.folder import default_loader


class _Flickr(ListedImages):
    """The base: `root` has the images, `ann_file` five captions of each."""

    def __init__(
        self, root, ann_file, transform=None, target_transform=None, loader=default_loader
    ):
        self.ann_file = os.path.expanduser(ann_file)
        super().__init__(root, transform, target_transform, loader=loader)
        self.ids = [path for path, _ in self.samples]

    def listed(self):
        return sorted(self._captions().items())


class Flickr30k(_Flickr):
    """Photographs in the folder `root` and sentences about them: (image, list of captions).

    `ann_file` has a line for each caption: the image's name, #, its number, a tab, the caption.
    Young et al., "From image descriptions to visual denotations" (2014).
    """

    def _captions(self):
        captions = defaultdict(list)

        def read(line):
            image, caption = line.split("\t")
            captions[self.path(image.rpartition("#")[0])].append(caption.strip())

        list(parsed(self.ann_file, read_lines(self.ann_file), read))
        return captions


class Flickr8k(_Flickr):
    """Photographs in the folder `root` and sentences about them: (image, list of captions).

    `ann_file` is the published HTML file. Hodosh et al., "Framing image description" (2013).
    """

    def _captions(self):
        reader = _Table()
        reader.feed(Path(self.ann_file).read_text(encoding="utf-8"))
        captions = {}
        for number, sentences in reader.found.items():
            for path in sorted(Path(self.root).glob(f"{number}_*.jpg"))[:1]:
                captions[str(path)] = sentences
        return captions


class _Table(HTMLParser):
    """Reads a table of links to photographs, each followed by a list of captions."""

    def __init__(self):
        super().__init__()
        self.found, self.tag, self.captions = {}, None, []

    def handle_starttag(self, tag, attrs):
        self.tag = tag

    def handle_endtag(self, tag):
        self.tag = None

    def handle_data(self, data):
        if self.tag == "a":
            self.captions = self.found.setdefault(data.rstrip("/").rpartition("/")[2], [])
        elif self.tag == "li":
            self.captions.append(data.strip())
        elif data.strip() == "Image Not Found":
            self.captions = []


class SBU(ListedImages):
    """Photographs from Flickr with their captions: samples (image, caption).

    `download` gets the lists and then each of a million photographs, as far as they are there.
    Ordonez et al., "Im2Text" (2011).
    """

    folder = "dataset"
    _urls = "SBU_captioned_photo_dataset_urls.txt"
    _sentences = "SBU_captioned_photo_dataset_captions.txt"
    published = (
        Archive("https://www.cs.rice.edu/~vo9/sbucaptions/SBUCaptionedPhotoDataset.tar.gz",
                "9aec147b3488753cf758b4d493422285", made=_urls, into=".."),
    )  # fmt: skip

    def __init__(
        self, root, transform=None, target_transform=None, download=True, loader=default_loader
    ):
        super().__init__(root, transform, target_transform, download, loader)

    def download(self):
        """Download the lists, and the photographs that are still there."""
        super().download()
        for url in read_lines(self.path(self._urls)):
            try:
                File(url.strip(), None).get(self.path())
            except DownloadError:
                continue  # many were withdrawn

    def listed(self):
        urls, captions = (read_lines(self.path(name)) for name in (self._urls, self._sentences))
        for url, caption in zip(urls, captions, strict=True):
            path = self.path(url.strip().rpartition("/")[2])
            if os.path.exists(path):
                yield path, caption.strip()
