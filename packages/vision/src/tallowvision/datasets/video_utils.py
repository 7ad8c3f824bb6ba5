"""Clips: equally long pieces of videos."""

import bisect
import warnings

import numpy as np

import tallow
from tallow.errors import ArgumentError, OutOfRangeError
from tallow.utils.data import DataLoader, Dataset
from tallowvision.io import read_video, read_video_timestamps


class _Timestamps(Dataset):
    """The times of the frames of each video, and their rate."""

    def __init__(self, paths):
        self.paths = paths

    def __getitem__(self, index):
        times, rate = read_video_timestamps(self.paths[index])
        return tallow.tensor(times, dtype=tallow.int64), rate

    def __len__(self):
        return len(self.paths)


class VideoClips:
    """All pieces of some videos that have as many frames as told: `get_clip(index)`.

    They begin `frames_between_clips` frames apart. With `frame_rate` (Hz), videos are sampled at
    that rate first. A list of the times of all frames is made by `num_workers` processes, or taken
    from the `metadata` of another object. A video that is too short has no clips, with a warning.
    """

    def __init__(
        self, video_paths, clip_length_in_frames=16, frames_between_clips=1, frame_rate=None,
        _precomputed_metadata=None, num_workers=0, output_format="THWC",
    ):  # fmt: skip
        self.output_format = output_format.upper()
        if self.output_format not in ("THWC", "TCHW"):
            raise ArgumentError(
                f"VideoClips: expected output_format THWC or TCHW, got {output_format!r}"
            )
        if _precomputed_metadata is None:
            loader = DataLoader(
                _Timestamps(video_paths), 16, num_workers=num_workers, collate_fn=list
            )
            found = [one for batch in loader for one in batch]
            self.video_paths = list(video_paths)
            self.video_pts = [pts for pts, _ in found]
            self.video_fps = [rate for _, rate in found]
        else:
            for name in ("video_paths", "video_pts", "video_fps"):
                setattr(self, name, _precomputed_metadata[name])
        self.compute_clips(clip_length_in_frames, frames_between_clips, frame_rate)

    @property
    def metadata(self):
        """What need not be read again: {"video_paths", "video_pts", "video_fps"}."""
        return {name: getattr(self, name) for name in ("video_paths", "video_pts", "video_fps")}

    def subset(self, indices):
        """The clips of some of the videos."""
        known = {name: [values[i] for i in indices] for name, values in self.metadata.items()}
        return type(self)(
            known["video_paths"], self.num_frames, self.step, self.frame_rate, known,
            output_format=self.output_format,
        )  # fmt: skip

    def compute_clips(self, num_frames, step, frame_rate=None):
        """Cut the videos anew: clips of `num_frames` that begin `step` frames apart."""
        self.num_frames, self.step, self.frame_rate = num_frames, step, frame_rate
        self._frames = [
            self._windows(path, len(pts), rate)
            for path, pts, rate in zip(
                self.video_paths, self.video_pts, self.video_fps, strict=True
            )
        ]
        self.clips = [
            pts[tallow.from_numpy(frames)]
            for pts, frames in zip(self.video_pts, self._frames, strict=True)
        ]
        self.cumulative_sizes = np.cumsum([len(frames) for frames in self._frames]).tolist()

    def _windows(self, path, count, rate):
        """The numbers of the frames of each clip of a video (clips, frames)."""
        rate = rate or 1
        sampled = self.frame_rate or rate
        numbers = (np.arange(int(count * sampled / rate)) * (rate / sampled)).astype(np.int64)
        if len(numbers) < self.num_frames:
            warnings.warn(
                f"{path}: expected at least {self.num_frames} frames for a clip, got "
                f"{len(numbers)}; it has no clips",
                stacklevel=2,
            )
            return np.empty((0, self.num_frames), np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(numbers, self.num_frames)
        return windows[:: self.step].copy()

    def __len__(self):
        return self.num_clips()

    def num_videos(self):
        """How many videos there are."""
        return len(self.video_paths)

    def num_clips(self):
        """How many clips there are."""
        return self.cumulative_sizes[-1] if self.cumulative_sizes else 0

    def get_clip_location(self, idx):
        """The number of the video that a clip is of, and its number among the clips of that."""
        video = bisect.bisect_right(self.cumulative_sizes, idx)
        return video, idx - (self.cumulative_sizes[video - 1] if video else 0)

    def get_clip(self, idx):
        """Frames, sound, {"video_fps", "audio_fps"} and the number of the video of one clip."""
        if not 0 <= idx < self.num_clips():
            raise OutOfRangeError(
                f"get_clip: expected an index below {self.num_clips()}, got {idx}"
            )
        video, place = self.get_clip_location(idx)
        frames, times = self._frames[video][place], self.clips[video][place].tolist()
        clip, sound, info = read_video(
            self.video_paths[video], times[0], times[-1], output_format=self.output_format
        )
        if self.frame_rate is not None:
            clip = clip[tallow.from_numpy(frames - frames[0])]
            info["video_fps"] = self.frame_rate
        return clip, sound, info, video
