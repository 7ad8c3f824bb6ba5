"""CelebA: faces with their attributes."""

import tallow
from tallow.utils.datasets import Archive, DataFileError, File, drive, parsed, read_lines
from tallowvision.datasets._files import SplitImages, kinds_of, one_or_all
from tallowvision.datasets.folder import default_loader


class CelebA(SplitImages):
    """Faces, 202,599 of 10,177 people: samples (image, target).

    `split` is train, valid, test or all. `target_type` is attr (40 numbers, 0 or 1, named by
    `attr_names`), identity (a number), bbox (x, y, width, height in the uncut image), landmarks (x,
    y of both eyes, the nose, both ends of the mouth), a list of these, or an empty one for None.
    Liu et al., "Deep learning face attributes in the wild" (2015).
    """

    folder = "celeba"
    splits = {"train": 0, "valid": 1, "test": 2, "all": None}
    published = (
        Archive(drive("0B7EVK8r0v71pZjFTYXZWM3FlRnM"), "00d2c5bc6d35e252742224ab0c1e8fcb",
                "img_align_celeba.zip", made="img_align_celeba"),
        File(drive("0B7EVK8r0v71pblRyaVFSWGxPY0U"), "75e246fa4810816ffd6ee81facbd244c",
             "list_attr_celeba.txt"),
        File(drive("1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS"), "32bd1bd63d3c78cd57e08160ec5ed1e2",
             "identity_CelebA.txt"),
        File(drive("0B7EVK8r0v71pbThiMVRxWXZ4dU0"), "00566efa6fedff7a56946cd1c10f1c16",
             "list_bbox_celeba.txt"),
        File(drive("0B7EVK8r0v71pd0FJY3Blby1HUTQ"), "cc24ecafdb5b50baae59b03474781f8c",
             "list_landmarks_align_celeba.txt"),
        File(drive("0B7EVK8r0v71pY0NSMzRuSXJEVkk"), "d32c9cbf5e040fd4025c592c306e6668",
             "list_eval_partition.txt"),
    )  # fmt: skip

    def __init__(
        self, root, split="train", target_type="attr", transform=None, target_transform=None,
        download=False, loader=default_loader,
    ):  # fmt: skip
        known = ("attr", "identity", "bbox", "landmarks")
        self.target_type = kinds_of("target_type", target_type, known)
        super().__init__(root, split, transform, target_transform, download, loader)

    def listed(self):
        names, parts = self._table("list_eval_partition.txt")
        wanted = self.splits[self.split]
        chosen = [i for i, (part,) in enumerate(parts) if wanted is None or part == wanted]
        tables = {
            "attr": ("list_attr_celeba.txt", 2), "identity": ("identity_CelebA.txt", 0),
            "bbox": ("list_bbox_celeba.txt", 2),
            "landmarks_align": ("list_landmarks_align_celeba.txt", 2),
        }  # fmt: skip
        for name, (file, head) in tables.items():
            rows = self._table(file, head)[1]
            if len(rows) != len(parts):
                raise DataFileError(
                    f"{self.path(file)}: expected {len(parts)} rows, got {len(rows)}"
                )
            setattr(self, name, tallow.tensor([rows[i] for i in chosen], dtype=tallow.int64))
        self.attr = (self.attr + 1) // 2  # -1 stands for no
        self.attr_names = read_lines(self.path("list_attr_celeba.txt"))[1].split()
        self.filename = [names[i] for i in chosen]
        return [(self.path("img_align_celeba", name), i) for i, name in enumerate(self.filename)]

    def _table(self, name, head=0):
        """The first word and the numbers after it in each line of a file, past its head."""

        def row(line):
            first, *rest = line.split()
            return first, [int(x) for x in rest]

        path = self.path(name)
        rows = list(parsed(path, read_lines(path)[head:], row))
        return [first for first, _ in rows], [numbers for _, numbers in rows]

    def __getitem__(self, index):
        path, place = self.samples[index]
        kinds = {
            "attr": self.attr, "bbox": self.bbox, "landmarks": self.landmarks_align,
            "identity": self.identity[:, 0],
        }  # fmt: skip
        target = one_or_all(kinds[kind][place] for kind in self.target_type)
        return self._transformed(self.loader(path), target)

    def extra_repr(self):
        return f"Target type: {self.target_type}\n{super().extra_repr()}"
