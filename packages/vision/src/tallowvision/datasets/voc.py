"""Pascal VOC and what is made of it: boxes in XML, segmentations in PNG."""

import os
from collections import defaultdict
from xml.etree import ElementTree

import numpy as np
import PIL.Image

from tallow.utils.datasets import Archive, DataFileError, File, extract, read_lines
from tallowvision._pil import open_image
from tallowvision.datasets._files import ListedImages, read_mat
from tallowvision.datasets.utils import verify_str_arg

_ADDRESS = "https://thor.robots.ox.ac.uk/pascal/VOC/"


def _year(address, md5, base="VOCdevkit/VOC20{}"):
    return _ADDRESS + address, md5, base.format(address[5:7])


_YEARS = {
    "2012": _year("voc2012/VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd"),
    "2011": _year("voc2011/VOCtrainval_25-May-2011.tar", "6c3384ef61512963050cb5d687e5bf1e",
                  "TrainVal/VOCdevkit/VOC20{}"),
    "2010": _year("voc2010/VOCtrainval_03-May-2010.tar", "da459979d0c395079b5c75ee67908abb"),
    "2009": _year("voc2009/VOCtrainval_11-May-2009.tar", "a3e00b113cfcfebf17e343f59da3caa1"),
    "2008": _year("voc2008/VOCtrainval_14-Jul-2008.tar", "2629fa636546599198acfcfbfcf1904a"),
    "2007": _year("voc2007/VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64"),
    "2007-test": _year("voc2007/VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f"),
}  # fmt: skip


class _VOC(ListedImages):
    lists = targets_folder = ending = ""

    def __init__(
        self, root, year="2012", image_set="train", download=False, transform=None,
        target_transform=None, transforms=None,
    ):  # fmt: skip
        self.year = verify_str_arg(year, "year", [str(n) for n in range(2007, 2013)])
        known = ("train", "trainval", "val") + (("test",) if year == "2007" else ())
        self.image_set = verify_str_arg(image_set, "image_set", known)
        super().__init__(root, transform, target_transform, download, transforms=transforms)
        self.images = [path for path, _ in self.samples]

    def _source(self):
        return _YEARS["2007-test" if self.image_set == "test" else self.year]

    def files(self):
        url, md5, base = self._source()
        return [Archive(url, md5, made=f"{base}/ImageSets/{self.lists}/{self.image_set}.txt")]

    def listed(self):
        base = self.path(self._source()[2])
        for name in read_lines(
            os.path.join(base, "ImageSets", self.lists, f"{self.image_set}.txt")
        ):
            name = name.strip()
            target = os.path.join(base, self.targets_folder, name + self.ending)
            yield os.path.join(base, "JPEGImages", f"{name}.jpg"), target

    def __getitem__(self, index):
        image, target = self.samples[index]
        return self._transformed(self.loader(image), self._read(target))


class VOCSegmentation(_VOC):
    """Photographs and what each pixel shows, of 20 classes: samples (image, mask), both Pillow's.

    `year` is 2007 to 2012; `image_set` is train, trainval or val, for 2007 also test. Everingham et
    al., "The Pascal visual object classes challenge" (2010).
    """

    lists, targets_folder, ending = "Segmentation", "SegmentationClass", ".png"

    @property
    def masks(self):
        """The paths of the masks."""
        return self.targets

    def _read(self, path):
        return open_image(path, PIL.Image.Image.copy)


class VOCDetection(_VOC):
    """Photographs and the boxes of things in them, of 20 classes: samples (image, annotation).

    The annotation is a dict like its XML file: `["annotation"]["object"]` is a list of dicts with
    the keys name and bndbox, all values strings. The arguments are those of `VOCSegmentation`.
    """

    lists, targets_folder, ending = "Main", "Annotations", ".xml"

    @property
    def annotations(self):
        """The paths of the annotations."""
        return self.targets

    def _read(self, path):
        try:
            return self.parse_voc_xml(ElementTree.parse(path).getroot())
        except ElementTree.ParseError as error:
            raise DataFileError(f"{path}: expected an XML file, got {error}") from error

    @staticmethod
    def parse_voc_xml(node):
        """An element as a dict: the text of children by their names, lists of those that recur."""
        if not len(node):
            return {node.tag: (node.text or "").strip()} if node.text else {}
        children = defaultdict(list)
        for child in node:
            for name, value in VOCDetection.parse_voc_xml(child).items():
                children[name].append(value)
        content = {name: values[0] if len(values) == 1 else values for name, values in
                   children.items()}  # fmt: skip
        if node.tag == "annotation":
            content["object"] = children["object"]  # a list of one, too
        return {node.tag: content}


class SBDataset(ListedImages):
    """More photographs of VOC with outlines: samples (image, target).

    `mode` boundaries gives an array (20, H, W) of the edges of each class, segmentation a Pillow
    image of classes. `image_set` is train, val or train_noval (without VOC 2012's val). Reading it
    takes the package scipy. Hariharan et al., "Semantic contours from inverse detectors" (2011).
    """

    num_classes = 20
    _no_val = File("https://www.cs.cornell.edu/~bharathh/train_noval.txt",
                   "79bff800c5f0b1ec6b21080a3c066722")  # fmt: skip
    _archive = File(
        "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/"
        "benchmark.tgz", "82b4d87ceb2ed10f6038a1cba92111cb",
    )  # fmt: skip

    def __init__(
        self, root, image_set="train", mode="boundaries", download=False, transforms=None
    ):  # fmt: skip
        known = ("train", "val", "train_noval")
        self.image_set = verify_str_arg(image_set, "image_set", known)
        self.mode = verify_str_arg(mode, "mode", ("segmentation", "boundaries"))
        super().__init__(root, download=download, transforms=transforms)

    def files(self):
        return [File(name=name) for name in ("img", "cls", f"{self.image_set}.txt")]

    def download(self):
        """Download and unpack what is not there."""
        if not os.path.isdir(self.path("cls")):
            extract(self._archive.get(self.path()))
            unpacked = self.path("benchmark_RELEASE", "dataset")
            for name in os.listdir(unpacked):
                os.replace(os.path.join(unpacked, name), self.path(name))
        if self.image_set == "train_noval":
            self._no_val.get(self.path())

    def listed(self):
        for name in read_lines(self.path(f"{self.image_set}.txt")):
            name = name.strip()
            yield self.path("img", f"{name}.jpg"), self.path("cls", f"{name}.mat")

    def __getitem__(self, index):
        image, target = self.samples[index]
        outlines = read_mat(target)["GTcls"]
        if self.mode == "segmentation":
            target = PIL.Image.fromarray(outlines["Segmentation"].item())
        else:
            target = np.stack([edges.toarray() for edges in outlines["Boundaries"].item()])
        return self._transformed(self.loader(image), target)

    def extra_repr(self):
        return f"Image set: {self.image_set}\nMode: {self.mode}"
