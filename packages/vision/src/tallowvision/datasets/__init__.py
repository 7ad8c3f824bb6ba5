"""Datasets of images, read from the files that they are published in."""

from tallowvision.datasets.folder import DatasetFolder, ImageFolder
from tallowvision.datasets.vision import VisionDataset

__all__ = ["DatasetFolder", "ImageFolder", "VisionDataset"]
