"""iNaturalist: animals, plants and fungi, by their places in the tree of life."""

import os

from tallow.utils.datasets import Archive, DataFileError
from tallowvision.datasets._files import ListedImages, kinds_of, one_or_all
from tallowvision.datasets.utils import verify_str_arg

_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")


class INaturalist(ListedImages):
    """Animals, plants and fungi: samples (image, number).

    `version` is 2021_train (2,686,843 images of 10,000 species), 2021_train_mini, 2021_valid, 2019,
    2018 or 2017. `target_type` says what the number is of: full (the species), or kingdom, phylum,
    class, order, family, genus; before 2021 full or super; or a list of these. `category_name`
    names it. Van Horn et al., "The iNaturalist species classification" (2018).
    """

    _address = "https://ml-inat-competition-datasets.s3.amazonaws.com/"
    _versions = {
        "2017": ("2017/train_val_images", "7c784ea5e424efaec655bd392f87301f"),
        "2018": ("2018/train_val2018", "b1c6952ce38f31868cc50ea72d066cc3"),
        "2019": ("2019/train_val2019", "c60a6e2962c9b8ccbd458d12c8582644"),
        "2021_train": ("2021/train", "e0526d53c7f7b2e3167b2b43bb2690ed"),
        "2021_train_mini": ("2021/train_mini", "db6ed8330e634445efc8fec83ae81442"),
        "2021_valid": ("2021/val", "f6f6e0e242e3d4c9569ba56400938afc"),
    }

    def __init__(
        self, root, version="2021_train", target_type="full", transform=None,
        target_transform=None, download=False, loader=None,
    ):  # fmt: skip
        self.version = verify_str_arg(version, "version", tuple(self._versions))
        self.folder = version
        known = ("full", *(_RANKS if version.startswith("2021") else ("super",)))
        self.target_type = kinds_of("target_type", target_type, known)
        options = {} if loader is None else {"loader": loader}
        super().__init__(root, transform, target_transform, download, **options)

    def files(self):
        name, md5 = self._versions[self.version]
        return [Archive(f"{self._address}{name}.tar.gz", md5, f"{self.version}.tgz")]

    def download(self):
        """Download and unpack the archive, unless it was; its folder is called as the version."""
        if not os.path.isdir(self.path()):
            self.files()[0].get(self.root)
            name = self._versions[self.version][0].rpartition("/")[2]
            os.replace(os.path.join(self.root, name), self.path())

    def listed(self):
        numbered = self._of_2021() if self.version.startswith("2021") else self._before()
        self.all_categories = [folder for folder, _ in numbered]
        self.categories_index, self.categories_map = {}, []
        for _, ranks in numbered:
            numbers = {}
            for rank, name in ranks.items():
                known = self.categories_index.setdefault(rank, {})
                numbers[rank] = known.setdefault(name, len(known))
            self.categories_map.append(numbers)
        if not numbered:
            self._refuse("folders of species", "none")
        self.index = [
            (number, name)
            for number, folder in enumerate(self.all_categories)
            for name in sorted(os.listdir(self.path(folder)))
        ]
        return [(self.path(self.all_categories[number], name), number)
                for number, name in self.index]  # fmt: skip

    def _of_2021(self):
        """(folder, {rank: name}) of each species: a folder is NUMBER_KINGDOM_..._GENUS_EPITHET."""
        found = []
        for number, folder in enumerate(sorted(os.listdir(self.path()))):
            first, *names = folder.split("_")
            if len(names) != 7 or first != f"{number:05d}":
                self._refuse(f"{number:05d} and seven names with _ between", folder)
            found.append((folder, dict(zip(_RANKS, names, strict=False))))
        return found

    def _before(self):
        """(folder, {"super": name}); folders are GROUP/NUMBER, in 2017 GROUP/NAME."""
        pairs = [
            (group, name)
            for group in sorted(os.listdir(self.path()))
            for name in sorted(os.listdir(self.path(group)))
        ]
        if self.version != "2017":
            for _, name in pairs:
                if not name.isdecimal():
                    self._refuse("a folder with a number as its name", name)
            pairs.sort(key=lambda pair: int(pair[1]))
            for number, (_, name) in enumerate(pairs):
                if int(name) != number:
                    self._refuse(f"one folder for each number, {number} next", name)
        return [(os.path.join(*pair), {"super": pair[0]}) for pair in pairs]

    def _refuse(self, expected, got):
        raise DataFileError(f"{self.path()}: expected {expected}, got {got}")

    def category_name(self, category_type, category_id):
        """What a number of a target type stands for."""
        if category_type == "full":
            return self.all_categories[category_id]
        verify_str_arg(category_type, "category_type", ("full", *self.categories_index))
        return list(self.categories_index[category_type])[category_id]

    def __getitem__(self, index):
        path, number = self.samples[index]
        numbers = {"full": number, **self.categories_map[number]}
        target = one_or_all(numbers[kind] for kind in self.target_type)
        return self._transformed(self.loader(path), target)
