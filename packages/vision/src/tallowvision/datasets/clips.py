"""What people do in videos: HMDB51, UCF101, Kinetics."""

import csv
import os
from pathlib import Path
from urllib.parse import quote

from tallow.utils.datasets import Archive, File, MissingFilesError, parsed, read_lines
from tallowvision.datasets._files import in_range
from tallowvision.datasets.folder import find_classes, make_dataset
from tallowvision.datasets.utils import verify_str_arg
from tallowvision.datasets.video_utils import VideoClips
from tallowvision.datasets.vision import VisionDataset


class Clips(VisionDataset):
    """Clips of the videos in a folder: samples (frames, sound, class)."""

    def __init__(self, root, transform):
        super().__init__(root)
        self.transform = transform

    def _cut(self, folder, extensions, length, step, rate, metadata, num_workers, output_format):
        self.classes, numbers = find_classes(folder)
        self.samples = make_dataset(folder, numbers, extensions)
        self.full_video_clips = self.video_clips = VideoClips(
            [path for path, _ in self.samples], length, step, rate, metadata, num_workers,
            output_format,
        )  # fmt: skip
        self.indices = list(range(len(self.samples)))

    def _keep(self, wanted):
        """Of the videos, those whose path is wanted."""
        self.indices = [i for i, (path, _) in enumerate(self.samples) if wanted(path)]
        self.video_clips = self.full_video_clips.subset(self.indices)

    @property
    def metadata(self):
        """What saves reading all videos again, as `_precomputed_metadata`."""
        return self.full_video_clips.metadata

    def __getitem__(self, index):
        video, audio, _, number = self.video_clips.get_clip(index)
        if self.transform is not None:
            video = self.transform(video)
        return video, audio, self.samples[self.indices[number]][1]

    def __len__(self):
        return self.video_clips.num_clips()


class _Folds(Clips):
    """Clips of which `annotation_path` says, for each of three folds, what to test on."""

    def __init__(
        self, root, annotation_path, frames_per_clip, step_between_clips=1, frame_rate=None,
        fold=1, train=True, transform=None, _precomputed_metadata=None, num_workers=1,
        output_format="THWC",
    ):  # fmt: skip
        super().__init__(root, transform)
        self.fold = in_range(f"{type(self).__name__}: fold", fold, 1, 3)
        self.train = train
        wanted = self._listed(Path(annotation_path))
        self._cut(
            self.root, (".avi",), frames_per_clip, step_between_clips, frame_rate,
            _precomputed_metadata, num_workers, output_format,
        )  # fmt: skip
        self._keep(wanted)

    def extra_repr(self):
        return f"Fold: {self.fold}\nSplit: {'Train' if self.train else 'Test'}"


class HMDB51(_Folds):
    """What people do, 51 kinds, 6,766 clips of films: samples (frames, sound, kind).

    `root` has a folder of videos (.avi) for each kind, `annotation_path` the files of splits, as
    in the publisher's archives, unpacked. Frames are uint8 (T, H, W, C), or (T, C, H, W) with
    `output_format` "TCHW". Reading them takes the extra tallowvision[video]. Kuehne et al.,
    "HMDB: a large video database" (2011).
    """

    def _listed(self, folder):
        tag = 1 if self.train else 2
        files = sorted(folder.glob(f"*test_split{self.fold}.txt"))
        if not files:
            raise MissingFilesError(f"HMDB51: expected *test_split{self.fold}.txt in {folder}")

        def marked(line):
            name, mark = line.split()
            return name, int(mark)

        rows = [row for file in files for row in parsed(file, read_lines(file), marked)]
        names = {name for name, mark in rows if mark == tag}
        return lambda path: os.path.basename(path) in names


class UCF101(_Folds):
    """What people do, 101 kinds, 13,320 clips: samples (frames, sound, kind).

    `root` has a folder of videos (.avi) for each kind, `annotation_path` trainlist01.txt and so on.
    Frames and what reads them are as for `HMDB51`. Soomro et al., "UCF101" (2012).
    """

    def _listed(self, folder):
        file = folder / f"{'train' if self.train else 'test'}list{self.fold:02d}.txt"
        paths = {
            os.path.join(self.root, *line.split()[0].split("/"))
            for line in read_lines(file)
            if line.strip()
        }
        return paths.__contains__


class Kinetics(Clips):
    """What people do, 400, 600 or 700 kinds, ten seconds each: samples (frames, sound, kind).

    `split` is train, val or test, a folder of `root` with a folder of videos for each kind.
    `num_classes` ("400", "600", "700") says what is downloaded. Frames are uint8 (T, C, H, W), or
    (T, H, W, C) with `output_format` "THWC"; they take the extra tallowvision[video]. Kay et al.,
    "The Kinetics human action video dataset" (2017).
    """

    _address = "https://s3.amazonaws.com/kinetics/"
    _lists = {
        "400": "400/{0}/k400_{0}_path.txt", "600": "600/{0}/k600_{0}_path.txt",
        "700": "700_2020/{0}/k700_2020_{0}_path.txt",
    }  # fmt: skip

    def __init__(
        self, root, frames_per_clip, num_classes="400", split="train", frame_rate=None,
        step_between_clips=1, transform=None, extensions=("avi", "mp4"), download=False,
        num_download_workers=1, num_workers=1, _precomputed_metadata=None, output_format="TCHW",
    ):  # fmt: skip
        super().__init__(root, transform)
        self.num_classes = verify_str_arg(num_classes, "num_classes", tuple(self._lists))
        self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        self.split_folder = os.path.join(self.root, split)
        del num_download_workers  # one after another: a connection is what limits it
        if download:
            self.download()
        if not os.path.isdir(self.split_folder):
            raise MissingFilesError(
                f"Kinetics: expected {self.split_folder}; download=True downloads the dataset"
            )
        self._cut(
            self.split_folder, tuple(extensions), frames_per_clip, step_between_clips, frame_rate,
            _precomputed_metadata, num_workers, output_format,
        )  # fmt: skip

    def download(self):
        """Download and unpack the archives of the split, and sort them by what people do."""
        if os.path.isdir(self.split_folder):
            return
        root, folder = Path(self.root), Path(self.split_folder)
        listed = self._lists[self.num_classes].format(self.split)
        archives = read_lines(File(self._address + listed, None).get(root / "files"))
        for url in filter(None, archives):
            into = os.path.relpath(folder, root / "tars")
            Archive(quote(url, safe="/,:"), None, into=into).get(root / "tars")
        table = listed.partition("/")[0] + f"/annotations/{self.split}.csv"
        rows = File(self._address + table, None).get(root / "annotations")
        with open(rows, encoding="utf-8") as file:
            for row in csv.DictReader(file):
                start, end = int(row["time_start"]), int(row["time_end"])
                video = folder / f"{row['youtube_id']}_{start:06}_{end:06}.mp4"
                kind = row["label"].translate(str.maketrans(" ", "_", "'()"))
                if video.is_file():
                    (folder / kind).mkdir(exist_ok=True)
                    video.replace(folder / kind / video.name)

    def extra_repr(self):
        return f"Split: {self.split}"
