"""Images in files of their own, one class each."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import PIL.Image

from tallow.utils.datasets import Archive, File, MissingFilesError, extract, parsed, read_lines
from tallowvision._pil import open_image
from tallowvision.datasets._files import (
    ListedImages,
    SplitImages,
    in_range,
    kinds_of,
    one_or_all,
    read_mat,
)
from tallowvision.datasets._flowers import FLOWERS
from tallowvision.datasets.folder import (
    IMG_EXTENSIONS,
    default_loader,
    find_classes,
    make_dataset,
)
from tallowvision.datasets.utils import verify_str_arg

_VGG = "https://www.robots.ox.ac.uk/~vgg/"


class Flowers102(SplitImages):
    """Flowers that grow in Britain, 102 kinds: samples (image, kind).

    `split` is train (1,020), val (1,020) or test (6,149). Reading it takes the package scipy.
    Nilsback and Zisserman, "Automated flower classification" (2008).
    """

    folder = "flowers-102"
    published = (
        Archive(_VGG + "data/flowers/102/102flowers.tgz", "52808999861908f626f3c1f4e79d11fa",
                made="jpg"),
        File(_VGG + "data/flowers/102/imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"),
        File(_VGG + "data/flowers/102/setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"),
    )  # fmt: skip
    splits = {"train": "trnid", "val": "valid", "test": "tstid"}
    classes = FLOWERS

    def listed(self):
        labels = read_mat(self.path("imagelabels.mat"))["labels"]
        numbers = read_mat(self.path("setid.mat"))[self.splits[self.split]]
        for number in np.atleast_1d(numbers):
            yield self.path("jpg", f"image_{number:05d}.jpg"), int(labels[number - 1]) - 1


class Food101(SplitImages):
    """Photographs of 101 dishes: samples (image, dish).

    `split` is train (75,750) or test (25,250). Bossard et al., "Food-101" (2014).
    """

    folder = "food-101"
    splits = ("train", "test")
    published = (
        Archive("http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                "85eeb15f3717b99a5da872d97d918f87", made="images", into=".."),
    )  # fmt: skip

    def listed(self):
        with open(self.path("meta", f"{self.split}.json"), encoding="utf-8") as file:
            names = json.load(file)
        self.classes = sorted(names)
        for dish, images in names.items():
            for image in images:
                yield self.path("images", *f"{image}.jpg".split("/")), self.class_to_idx[dish]


class DTD(SplitImages):
    """Textures described by 47 words: samples (image, word).

    `split` is train, val or test (1,880 each) of the `partition` 1 to 10. Cimpoi et al.,
    "Describing textures in the wild" (2014).
    """

    folder = "dtd"
    splits = ("train", "val", "test")
    published = (
        Archive(_VGG + "data/dtd/download/dtd-r1.0.1.tar.gz", "fff73e5086ae6bdbea199a49dfb8a4c1",
                made="dtd"),
    )  # fmt: skip

    def __init__(
        self, root, split="train", partition=1, transform=None, target_transform=None,
        download=False, loader=default_loader,
    ):  # fmt: skip
        self.partition = in_range("DTD: partition", partition, 1, 10)
        super().__init__(root, split, transform, target_transform, download, loader)

    def listed(self):
        names = read_lines(self.path("dtd", "labels", f"{self.split}{self.partition}.txt"))
        self.classes = sorted({name.partition("/")[0] for name in names})
        for name in names:
            word, image = name.split("/")
            yield self.path("dtd", "images", word, image), self.class_to_idx[word]

    def extra_repr(self):
        return f"{super().extra_repr()}\nPartition: {self.partition}"


class GTSRB(SplitImages):
    """German traffic signs, 43 kinds: samples (image, kind).

    `split` is train (26,640) or test (12,630). Stallkamp et al., "Man vs. computer" (2012).
    """

    folder = "gtsrb"
    splits = ("train", "test")
    _address = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
    _images = {"train": "GTSRB/Training", "test": "GTSRB/Final_Test/Images"}

    def files(self):
        if self.split == "train":
            archive = f"{self._address}GTSRB-Training_fixed.zip"
            return [Archive(archive, "513f3c79a4c5141765e10e952eaa2478", made="GTSRB/Training")]
        return [
            Archive(f"{self._address}GTSRB_Final_Test_Images.zip",
                    "c7e4e6327067d32654124b0fe9e82185", made="GTSRB/Final_Test/Images"),
            Archive(f"{self._address}GTSRB_Final_Test_GT.zip",
                    "fe31e9c9270bbcd7b84b7f21a9d9d9e5", made="GT-final_test.csv"),
        ]  # fmt: skip

    def listed(self):
        images = self.path(*self._images[self.split].split("/"))
        if self.split == "train":
            return make_dataset(images, extensions=(".ppm",))
        with open(self.path("GT-final_test.csv"), encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";", skipinitialspace=True))
        return [(os.path.join(images, row["Filename"]), int(row["ClassId"])) for row in rows]


class FGVCAircraft(SplitImages):
    """Aircraft, 102 images of each of 100 variants: samples (image, number).

    `split` is train, val, trainval or test; `annotation_level` says what the number is of: variant,
    family or manufacturer. Maji et al., "Fine-grained visual classification of aircraft" (2013).
    """

    folder = "fgvc-aircraft-2013b"
    splits = ("train", "val", "trainval", "test")
    published = (
        Archive(_VGG + "data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz", None, made="data",
                into=".."),
    )  # fmt: skip
    _levels = {"variant": "variants", "family": "families", "manufacturer": "manufacturers"}

    def __init__(
        self, root, split="trainval", annotation_level="variant", transform=None,
        target_transform=None, download=False, loader=default_loader,
    ):  # fmt: skip
        self.annotation_level = verify_str_arg(
            annotation_level, "annotation_level", tuple(self._levels)
        )
        super().__init__(root, split, transform, target_transform, download, loader)

    def listed(self):
        self.classes = read_lines(self.path("data", f"{self._levels[self.annotation_level]}.txt"))
        path = self.path("data", f"images_{self.annotation_level}_{self.split}.txt")

        def sample(line):
            image, name = line.split(" ", 1)
            return self.path("data", "images", f"{image}.jpg"), self.class_to_idx[name.strip()]

        return parsed(path, read_lines(path), sample)


class StanfordCars(SplitImages):
    """Cars, 196 kinds: samples (image, kind).

    `split` is train (8,144) or test (8,041). There is no address to download from any more; reading
    it takes the package scipy. Krause et al., "3D object representations" (2013).
    """

    folder = "stanford_cars"
    splits = {
        "train": ("cars_train", "devkit/cars_train_annos.mat"),
        "test": ("cars_test", "cars_test_annos_withlabels.mat"),
    }

    def download(self):
        """Refused: the dataset has no address any more."""
        raise MissingFilesError(
            f"StanfordCars: expected its files in {self.path()}, since they have no address to "
            "download from any more"
        )

    def listed(self):
        images, labels = self.splits[self.split]
        self.classes = read_mat(self.path("devkit", "cars_meta.mat"))["class_names"].tolist()
        for row in read_mat(self.path(*labels.split("/")))["annotations"]:
            yield self.path(images, str(row["fname"])), int(row["class"]) - 1


class Country211(SplitImages):
    """Photographs by the country they were taken in, 211 of them: samples (image, country).

    `split` is train, valid or test. Radford et al., "Learning transferable visual models from
    natural language supervision" (2021).
    """

    folder = "country211"
    splits = ("train", "valid", "test")
    published = (
        Archive("https://openaipublic.azureedge.net/clip/data/country211.tgz",
                "84988d7644798601126c29e9877aab6a", made="train", into=".."),
    )  # fmt: skip

    def listed(self):
        images = self.path(self.split)
        self.classes = find_classes(images)[0]
        return make_dataset(images, self.class_to_idx, IMG_EXTENSIONS)


class RenderedSST2(SplitImages):
    """Sentences of film reviews as pictures: samples (image, 1 if the sentence is favourable).

    `split` is train (6,920), val (872) or test (1,821). Radford et al. (2021), as Country211.
    """

    folder = "rendered-sst2"
    splits = {"train": "train", "val": "valid", "test": "test"}
    classes = ["negative", "positive"]
    published = (
        Archive("https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz",
                "2384d08e9dcfa4bd55b324e610496ee5", made="train", into=".."),
    )  # fmt: skip

    def listed(self):
        return make_dataset(self.path(self.splits[self.split]), self.class_to_idx, ("png",))


class Imagenette(SplitImages):
    """Ten easy classes of ImageNet: samples (image, class).

    `split` is train or val; `size` is full, 320px or 160px (of the shorter side). `classes` are
    tuples of names, `wnids` the classes' numbers in WordNet.
    """

    splits = ("train", "val")
    _archives = {
        "full": ("imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"),
        "320px": ("imagenette2-320", "3df6f0d01a2c9592104656642f5e78a3"),
        "160px": ("imagenette2-160", "e793b78cc4c9e9a4ccc0c1155377a412"),
    }
    _names = {
        "n01440764": ("tench", "Tinca tinca"),
        "n02102040": ("English springer", "English springer spaniel"),
        "n02979186": ("cassette player",),
        "n03000684": ("chain saw", "chainsaw"),
        "n03028079": ("church", "church building"),
        "n03394916": ("French horn", "horn"),
        "n03417042": ("garbage truck", "dustcart"),
        "n03425413": ("gas pump", "gasoline pump", "petrol pump", "island dispenser"),
        "n03445777": ("golf ball",),
        "n03888257": ("parachute", "chute"),
    }

    def __init__(
        self, root, split="train", size="full", download=False, transform=None,
        target_transform=None, loader=default_loader,
    ):  # fmt: skip
        verify_str_arg(size, "size", tuple(self._archives))
        self.folder, self._md5 = self._archives[size]
        super().__init__(root, split, transform, target_transform, download, loader)

    def files(self):
        url = f"https://s3.amazonaws.com/fast-ai-imageclas/{self.folder}.tgz"
        return [Archive(url, self._md5, made=self.split, into="..")]

    def listed(self):
        images = self.path(self.split)
        self.wnids, self.wnid_to_idx = find_classes(images)
        self.classes = [self._names[wnid] for wnid in self.wnids]
        return make_dataset(images, self.wnid_to_idx, ".jpeg")

    @property
    def class_to_idx(self):
        """A dict from each of the names of the classes to their numbers."""
        return {name: i for i, names in enumerate(self.classes) for name in names}


class SUN397(ListedImages):
    """Places, 397 kinds, 108,754 images: samples (image, kind).

    Xiao et al., "SUN database" (2010).
    """

    folder = "SUN397"
    published = (
        Archive("http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
                "8ca2778205c41d23104230ba66911c7a", made="ClassName.txt", into=".."),
    )  # fmt: skip

    def listed(self):
        self.classes = [line[3:].strip() for line in read_lines(self.path("ClassName.txt"))]
        folder = Path(self.path())
        for path in sorted(folder.rglob("sun_*.jpg")):
            kind = "/".join(path.relative_to(folder).parts[1:-1])
            yield str(path), self.class_to_idx[kind]


class EuroSAT(ListedImages):
    """Europe from a satellite, ten kinds of land, 27,000 images: samples (image, kind).

    Helber et al., "EuroSAT" (2019).
    """

    folder = "eurosat"
    published = (
        Archive("https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
                "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                "c8fa014336c82ac7804f0398fcb19387", made="2750"),
    )  # fmt: skip

    def listed(self):
        self.classes = find_classes(self.path("2750"))[0]
        return make_dataset(self.path("2750"), self.class_to_idx, IMG_EXTENSIONS)


class Omniglot(ListedImages):
    """Handwritten characters of fifty alphabets, 20 images of each: samples (grey image, number).

    `background` are 30 alphabets to learn from, else the 20 others. Lake et al., "Human-level
    concept learning" (2015).
    """

    folder = "omniglot-py"
    _md5 = {
        "images_background": "68d2efa1b9178cc56df9314c21c6e718",
        "images_evaluation": "6b91aef0f799c5bb55b94e3f2daec811",
    }

    def __init__(
        self, root, background=True, transform=None, target_transform=None, download=False,
        loader=None,
    ):  # fmt: skip
        self.background = background
        self.part = "images_background" if background else "images_evaluation"
        super().__init__(root, transform, target_transform, download, loader or _grey)

    def files(self):
        base = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
        return [Archive(f"{base}{self.part}.zip", self._md5[self.part], made=self.part)]

    def listed(self):
        folder = Path(self.path(self.part))
        characters = [
            character
            for alphabet in sorted(filter(Path.is_dir, folder.iterdir()))
            for character in sorted(filter(Path.is_dir, alphabet.iterdir()))
        ]
        for number, character in enumerate(characters):
            for image in sorted(character.glob("*.png")):
                yield str(image), number


def _grey(path):
    return open_image(path, lambda image: image.convert("L"))


class Caltech101(ListedImages):
    """Things, 101 kinds, about 9,000 images: samples (image, target).

    `target_type` is category (a number), annotation (the outline, an array (2, points) read with
    the package scipy) or a list of these. Li et al., "Learning generative visual models" (2004).
    """

    folder = "caltech101"
    published = (
        Archive("https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
                "3138e1922a9193bfa496528edbbc45d0", made="101_ObjectCategories"),
    )  # fmt: skip
    _outlines = {
        "Faces": "Faces_2", "Faces_easy": "Faces_3", "Motorbikes": "Motorbikes_16",
        "airplanes": "Airplanes_Side_2",
    }  # fmt: skip

    def __init__(
        self, root, target_type="category", transform=None, target_transform=None, download=False
    ):
        self.target_type = kinds_of("target_type", target_type, ("category", "annotation"))
        super().__init__(root, transform, target_transform, download)

    def download(self):
        """Download and unpack the archive, and those in it, unless it was."""
        if os.path.isdir(self.path("101_ObjectCategories")):
            return
        super().download()
        inner = Path(self.path("caltech-101"))
        for archive in inner.glob("*.tar*"):
            extract(archive, self.path())
        shutil.rmtree(inner)

    def listed(self):
        folder = Path(self.path("101_ObjectCategories"))
        self.categories = [name for name in find_classes(folder)[0] if name != "BACKGROUND_Google"]
        for number, name in enumerate(self.categories):
            for image in sorted((folder / name).glob("*.jpg")):
                yield str(image), number

    def __getitem__(self, index):
        path, number = self.samples[index]
        kinds = {"category": lambda: number, "annotation": lambda: self._outline(path, number)}
        target = one_or_all(kinds[kind]() for kind in self.target_type)
        return self._transformed(self.loader(path), target)

    def _outline(self, path, number):
        name = self.categories[number]
        file = Path(path).stem.replace("image", "annotation") + ".mat"
        return read_mat(self.path("Annotations", self._outlines.get(name, name), file))[
            "obj_contour"
        ]


class Caltech256(ListedImages):
    """Things, 256 kinds and one of others, 30,607 images: samples (image, kind).

    Griffin et al., "Caltech-256" (2007).
    """

    folder = "caltech256"
    published = (
        Archive("https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar",
                "67b4f42ca05d46448c6bb8ecd2220f6d", made="256_ObjectCategories"),
    )  # fmt: skip

    def listed(self):
        folder = self.path("256_ObjectCategories")
        self.categories, numbers = find_classes(folder)
        return make_dataset(folder, numbers, (".jpg",))


class OxfordIIITPet(SplitImages):
    """Cats and dogs of 37 breeds: samples (image, target).

    `split` is trainval (3,680) or test (3,669). `target_types` are category (the breed's number),
    binary-category (0 for a cat, 1 for a dog), segmentation (a Pillow image: 1 the pet, 2 around
    it, 3 its edge), or a list of these. Parkhi et al., "Cats and dogs" (2012).
    """

    folder = "oxford-iiit-pet"
    splits = ("trainval", "test")
    published = (
        Archive(_VGG + "data/pets/data/images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c",
                made="images"),
        Archive(_VGG + "data/pets/data/annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f",
                made="annotations"),
    )  # fmt: skip
    bin_classes = ["Cat", "Dog"]
    bin_class_to_idx = {"Cat": 0, "Dog": 1}

    def __init__(
        self, root, split="trainval", target_types="category", transforms=None, transform=None,
        target_transform=None, download=False,
    ):  # fmt: skip
        self.split = verify_str_arg(split, "split", self.splits)
        known = ("category", "binary-category", "segmentation")
        self.target_types = kinds_of("target_types", target_types, known)
        ListedImages.__init__(
            self, root, transform, target_transform, download, transforms=transforms
        )

    def listed(self):
        path = self.path("annotations", f"{self.split}.txt")

        def sample(line):
            name, breed, species, _ = line.split()
            return self.path("images", f"{name}.jpg"), (name, int(breed) - 1, int(species) - 1)

        samples = list(parsed(path, read_lines(path), sample))
        breeds = {breed: name.rpartition("_")[0] for _, (name, breed, _) in samples}
        self.classes = [breeds[breed].replace("_", " ").title() for breed in sorted(breeds)]
        return samples

    def __getitem__(self, index):
        path, (name, breed, species) = self.samples[index]
        kinds = {
            "category": lambda: breed,
            "binary-category": lambda: species,
            "segmentation": lambda: _as_it_is(self.path("annotations", "trimaps", f"{name}.png")),
        }
        target = one_or_all(kinds[kind]() for kind in self.target_types)
        return self._transformed(self.loader(path), target)


def _as_it_is(path):
    return open_image(path, PIL.Image.Image.copy)
