"""Random images in place of a dataset."""

import tallow
from tallow.errors import OutOfRangeError
from tallowvision._pil import to_pil_image
from tallowvision.datasets.vision import VisionDataset


class FakeData(VisionDataset):
    """`size` images of noise (channels, height, width) and random classes: (Pillow image, class).

    The sample with an index is the same each time; `random_offset` gives others.

    >>> from tallowvision.datasets import FakeData
    >>> data = FakeData(10, (3, 8, 9))
    >>> data[3][0].size, data[3] == data[3]
    ((9, 8), True)
    """

    def __init__(
        self, size=1000, image_size=(3, 224, 224), num_classes=10, transform=None,
        target_transform=None, random_offset=0,
    ):  # fmt: skip
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.image_size = image_size
        self.num_classes = num_classes
        self.random_offset = random_offset

    def __getitem__(self, index):
        if not 0 <= index < self.size:
            raise OutOfRangeError(f"FakeData: expected an index below {self.size}, got {index}")
        generator = tallow.Generator().manual_seed(index + self.random_offset)
        noise = tallow.randn(*self.image_size, generator=generator)
        target = tallow.randint(self.num_classes, (1,), generator=generator).item()
        levels = (noise * 255).to(tallow.int64) % 256  # as PyTorch's cast to bytes wraps around
        return self._transformed(to_pil_image(levels.to(tallow.uint8)), target)

    def __len__(self):
        return self.size
