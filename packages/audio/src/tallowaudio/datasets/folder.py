"""Users' own sound files, in a folder for each class."""

import os

from tallow.utils.datasets import MissingFilesError
from tallowaudio.datasets._files import Recordings

EXTENSIONS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif", ".sph", ".au", ".caf")


class AudioFolder(Recordings):
    """Sound files sorted into folders: (waveform, sample rate, class number).

    root/CLASS/.../NAME.wav, or of another of the usual endings. `classes` are the folders' names,
    sorted; `transform` changes waveforms.

    >>> import tempfile, os, tallow, tallowaudio
    >>> root = tempfile.TemporaryDirectory()
    >>> for name in ("cat", "dog"):
    ...     os.mkdir(os.path.join(root.name, name))
    ...     tallowaudio.save(os.path.join(root.name, name, "1.wav"), tallow.zeros(1, 8), 8000)
    >>> sounds = tallowaudio.datasets.AudioFolder(root.name)
    >>> sounds.classes, [label for _, _, label in sounds]
    (['cat', 'dog'], [0, 1])
    >>> root.cleanup()
    """

    def __init__(self, root, transform=None, extensions=EXTENSIONS):
        super().__init__(root)
        self.transform = transform
        self.classes = sorted(entry.name for entry in os.scandir(self.folder) if entry.is_dir())
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        for name in self.classes:
            below = os.walk(os.path.join(self.folder, name), followlinks=True)
            paths = [os.path.join(where, file) for where, _, files in below for file in files]
            self.entries += [
                (os.path.relpath(path, self.folder), self.class_to_idx[name])
                for path in sorted(paths) if path.lower().endswith(tuple(extensions))
            ]  # fmt: skip
        if not self.entries:
            raise MissingFilesError(
                f"{root}: expected sound files in a folder for each class, got none; they end in "
                f"{', '.join(extensions)}"
            )

    def described(self, entry):
        return entry

    def waveform(self, path, *where):
        waveform, rate = super().waveform(path, *where)
        return waveform if self.transform is None else self.transform(waveform), rate
