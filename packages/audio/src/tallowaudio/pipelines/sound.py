"""Separation of sources, and quality of speech."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tallowaudio import models
from tallowaudio.pipelines._assets import loaded


@dataclass(frozen=True)
class SourceSeparationBundle:
    """A model that separates sources: `get_model()`, for sounds at `sample_rate` Hz."""

    path: str
    build: Callable
    sample_rate: int

    def get_model(self):
        """The model, for inference."""
        return loaded(self.build(), self.path)


@dataclass(frozen=True)
class SquimObjectiveBundle(SourceSeparationBundle):
    """A model that estimates STOI, PESQ and SI-SDR."""


@dataclass(frozen=True)
class SquimSubjectiveBundle(SourceSeparationBundle):
    """A model that estimates the mean opinion."""


_STEMS = ["drums", "bass", "other", "vocals"]

CONVTASNET_BASE_LIBRI2MIX = SourceSeparationBundle(
    "models/conv_tasnet_base_libri2mix.pt", models.conv_tasnet_base, 8000
)
HDEMUCS_HIGH_MUSDB_PLUS = SourceSeparationBundle(
    "models/hdemucs_high_trained.pt", partial(models.hdemucs_high, _STEMS), 44100
)
HDEMUCS_HIGH_MUSDB = SourceSeparationBundle(
    "models/hdemucs_high_musdbhq_only.pt", partial(models.hdemucs_high, _STEMS), 44100
)
SQUIM_OBJECTIVE = SquimObjectiveBundle(
    "models/squim_objective_dns2020.pth", models.squim_objective_base, 16000
)
SQUIM_SUBJECTIVE = SquimSubjectiveBundle(
    "models/squim_subjective_bvcc_daps.pth", models.squim_subjective_base, 16000
)
