"""Datasets of images, read from the files that they are published in."""

from tallowvision.datasets._wrap import wrap_dataset_for_transforms_v2
from tallowvision.datasets.arrays import PCAM, SEMEION, STL10, USPS, MovingMNIST
from tallowvision.datasets.captions import SBU, Flickr8k, Flickr30k
from tallowvision.datasets.celeba import CelebA
from tallowvision.datasets.cifar import CIFAR10, CIFAR100
from tallowvision.datasets.classification import (
    DTD,
    GTSRB,
    SUN397,
    Caltech101,
    Caltech256,
    Country211,
    EuroSAT,
    FGVCAircraft,
    Flowers102,
    Food101,
    Imagenette,
    Omniglot,
    OxfordIIITPet,
    RenderedSST2,
    StanfordCars,
)
from tallowvision.datasets.clips import HMDB51, UCF101, Kinetics
from tallowvision.datasets.coco import CocoCaptions, CocoDetection
from tallowvision.datasets.faces import LFWPairs, LFWPeople, WIDERFace
from tallowvision.datasets.fakedata import FakeData
from tallowvision.datasets.folder import DatasetFolder, ImageFolder
from tallowvision.datasets.imagenet import ImageNet, Places365
from tallowvision.datasets.lsun import LSUN, LSUNClass
from tallowvision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from tallowvision.datasets.naturalist import INaturalist
from tallowvision.datasets.phototour import PhotoTour
from tallowvision.datasets.streets import Cityscapes, Kitti
from tallowvision.datasets.svhn import SVHN
from tallowvision.datasets.vision import VisionDataset
from tallowvision.datasets.voc import SBDataset, VOCDetection, VOCSegmentation

__all__ = [
    "CIFAR10", "CIFAR100", "Caltech101", "Caltech256", "CelebA", "Cityscapes", "CocoCaptions",
    "CocoDetection", "Country211", "DTD", "DatasetFolder", "EMNIST", "EuroSAT", "FGVCAircraft",
    "FakeData", "FashionMNIST", "Flickr30k", "Flickr8k", "Flowers102", "Food101", "GTSRB",
    "HMDB51", "INaturalist", "ImageFolder", "ImageNet", "Imagenette", "KMNIST", "Kinetics",
    "Kitti", "LFWPairs", "LFWPeople", "LSUN", "LSUNClass", "MNIST", "MovingMNIST", "Omniglot",
    "OxfordIIITPet", "PCAM", "PhotoTour", "Places365", "QMNIST", "RenderedSST2", "SBDataset",
    "SBU", "SEMEION", "STL10", "SUN397", "SVHN", "StanfordCars", "UCF101", "USPS",
    "VOCDetection", "VOCSegmentation", "VisionDataset", "WIDERFace",
    "wrap_dataset_for_transforms_v2",
]  # fmt: skip
