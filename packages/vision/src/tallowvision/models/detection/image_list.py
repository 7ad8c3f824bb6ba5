"""Images of several sizes in one batch."""


class ImageList:
    """A batch `tensors` (N, C, H, W) of images with zeros after their own `image_sizes` (h, w)."""

    def __init__(self, tensors, image_sizes):
        self.tensors = tensors
        self.image_sizes = image_sizes

    def to(self, device):
        """The same on another device."""
        return ImageList(self.tensors.to(device), self.image_sizes)
