"""Which clips of videos an epoch has."""

import tallow
from tallow.utils.data import Sampler


class UniformClipSampler(Sampler):
    """`num_clips_per_video` clips of each video, spread evenly; of a short one some recur."""

    def __init__(self, video_clips, num_clips_per_video):
        self.video_clips = video_clips
        self.num_clips_per_video = num_clips_per_video

    def __iter__(self):
        start = 0
        for clips in self.video_clips.clips:
            if count := len(clips):
                places = tallow.linspace(start, start + count - 1, self.num_clips_per_video)
                yield from places.floor().long().tolist()
                start += count

    def __len__(self):
        return self.num_clips_per_video * sum(len(clips) > 0 for clips in self.video_clips.clips)


class RandomClipSampler(Sampler):
    """At most `max_clips_per_video` clips of each video, chosen and ordered at random."""

    def __init__(self, video_clips, max_clips_per_video):
        self.video_clips = video_clips
        self.max_clips_per_video = max_clips_per_video

    def __iter__(self):
        start, chosen = 0, []
        for clips in self.video_clips.clips:
            chosen.append(tallow.randperm(len(clips))[: self.max_clips_per_video] + start)
            start += len(clips)
        places = tallow.cat(chosen)
        return iter(places[tallow.randperm(len(places))].tolist())

    def __len__(self):
        return sum(min(len(clips), self.max_clips_per_video) for clips in self.video_clips.clips)
