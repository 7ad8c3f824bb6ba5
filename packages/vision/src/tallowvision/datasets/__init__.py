"""Datasets of images, read from the files that they are published in."""

from tallowvision.datasets.cifar import CIFAR10, CIFAR100
from tallowvision.datasets.fakedata import FakeData
from tallowvision.datasets.folder import DatasetFolder, ImageFolder
from tallowvision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from tallowvision.datasets.svhn import SVHN
from tallowvision.datasets.vision import VisionDataset

__all__ = [
    "CIFAR10", "CIFAR100", "DatasetFolder", "EMNIST", "FakeData", "FashionMNIST", "ImageFolder",
    "KMNIST", "MNIST", "QMNIST", "SVHN", "VisionDataset",
]  # fmt: skip
