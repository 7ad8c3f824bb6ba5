"""The images: scikit-learn's handwritten digits, or a folder of pictures for each class."""

from dataclasses import dataclass

import tallow
from tallow.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split


@dataclass
class Task:
    """Images to learn from and to be tested on, `channels` x `size` x `size`, and the classes."""

    train: Dataset
    test: Dataset
    classes: list[str]
    channels: int
    size: int


class Shifted(Dataset):
    """Images (C, H, W) moved by up to a pixel in each direction, anew at each reading."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image, label = self.images[index]
        height, width = image.shape[-2:]
        padded = tallow.nn.functional.pad(image, (1, 1, 1, 1))
        top, left = tallow.randint(3, (2,)).tolist()
        return padded[..., top : top + height, left : left + width], label


def digits():
    """1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak, 1998), a fifth held out."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = tallow.from_numpy(pixels).float().reshape(-1, 1, 8, 8) / 16 - 0.5
    train, test = random_split(TensorDataset(images, tallow.from_numpy(labels)), [0.8, 0.2])
    return Task(Shifted(train), test, [str(digit) for digit in range(10)], 1, 8)


def augmentation(kind, size):
    """What varies pictures of `size` x `size` at each reading: nothing, "shift" or "trivial".

    A shift is by an eighth at most, and half of the pictures are mirrored; "trivial" is, before
    that, one change out of a list (Müller and Hutter, "TrivialAugment", 2021).
    """
    from tallowvision import transforms

    shift = [
        transforms.RandomCrop(size, padding=max(1, size // 8), padding_mode="reflect"),
        transforms.RandomHorizontalFlip(),
    ]
    return {"none": [], "shift": shift, "trivial": [transforms.TrivialAugmentWide(), *shift]}[kind]


def imagefolder(root, size, augment):
    """Pictures in root/train/CLASS and root/test/CLASS (or val), or in root/CLASS.

    Where there are none to test on, a fifth is held out.
    """
    from tallowvision import transforms
    from tallowvision.datasets import ImageFolder

    resize, normalize = transforms.Resize((size, size)), transforms.Normalize([0.5] * 3, [0.5] * 3)
    plain = transforms.Compose([resize, transforms.ToTensor(), normalize])
    varied = transforms.Compose(
        [resize, *augmentation(augment, size), transforms.ToTensor(), normalize]
    )
    for name in ("test", "val"):
        if (root / name).is_dir():
            train = ImageFolder(root / "train", varied)
            return Task(train, ImageFolder(root / name, plain), train.classes, 3, size)
    top = root / "train" if (root / "train").is_dir() else root
    train, test = ImageFolder(top, varied), ImageFolder(top, plain)
    order = tallow.randperm(len(train)).tolist()
    held_out = len(order) // 5
    return Task(
        Subset(train, order[held_out:]), Subset(test, order[:held_out]), train.classes, 3, size
    )


def load(options):
    """The task that the command line asks for."""
    if options.dataset == "digits":
        return digits()
    return imagefolder(options.data, options.size, options.augment)


def loaders(task, batch_size, workers):
    """A shuffling loader of the images to learn from, and one of those held out."""
    train = DataLoader(task.train, batch_size, shuffle=True, num_workers=workers)
    return train, DataLoader(task.test, 256, num_workers=workers)
