"""Models whose weights are published: torchtext's bundles of a shape, an address and a transform.

    model = ROBERTA_BASE_ENCODER.get_model()
    transform = ROBERTA_BASE_ENCODER.transform()

Both download once, to `tallow.hub.get_dir()`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallow import nn
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.hub import load_state_dict_from_url
from tallowtext import functional as F
from tallowtext import transforms as T
from tallowtext._files import asset, numbered_lines
from tallowtext.models.roberta import RobertaEncoderConf, RobertaModel
from tallowtext.models.t5 import T5Conf, T5Model
from tallowtext.prototype.generate import GenerationUtils
from tallowtext.sentencepiece import SentencePiece
from tallowtext.vocab import Vocab

BUCKET = "https://download.pytorch.org/models/text/"
ROBERTA_TOKENS = "https://dl.fbaipublicfiles.com/fairseq/gpt2_bpe/dict.txt"


def _checkpoint(checkpoint, dl_kwargs):
    """A state dict, given as such or by its address."""
    if isinstance(checkpoint, str):
        return load_state_dict_from_url(checkpoint, **(dl_kwargs or {}))
    if not isinstance(checkpoint, dict):
        raise TypeMismatchError(
            f"checkpoint: expected an address or a state dict, got {type(checkpoint).__name__}"
        )
    return dict(checkpoint)


def _published(path):
    if path is None:
        raise ArgumentError("get_model: expected a bundle with weights, or load_weights=False")
    return path


@dataclass
class RobertaBundle:
    """A RoBERTa encoder, where its weights are, and `transform()`, which makes its inputs."""

    _encoder_conf: RobertaEncoderConf
    _path: str | None = None
    _head: nn.Module | None = None
    transform: Callable | None = None

    def get_model(self, *, head=None, load_weights=True, freeze_encoder=False, dl_kwargs=None):
        """A `RobertaModel`, with a `head` of one's own if given; `load_weights` downloads them."""
        return self.build_model(
            self._encoder_conf, head=self._head if head is None else head,
            freeze_encoder=freeze_encoder,
            checkpoint=_published(self._path) if load_weights else None,
            override_checkpoint_head=True, dl_kwargs=dl_kwargs,
        )  # fmt: skip

    @classmethod
    def build_model(
        cls, encoder_conf, *, head=None, freeze_encoder=False, checkpoint=None,
        override_checkpoint_head=False, strict=False, dl_kwargs=None,
    ):  # fmt: skip
        """A `RobertaModel` with the weights of `checkpoint`, a state dict or its address.

        The head keeps its own with `override_checkpoint_head`, or where the checkpoint has none.

        >>> from tallowtext.models import RobertaBundle, RobertaEncoderConf
        >>> conf = RobertaEncoderConf(100, 16, 32, num_attention_heads=2, num_encoder_layers=1)
        >>> type(RobertaBundle.build_model(conf)).__name__
        'RobertaModel'
        """
        model = RobertaModel(encoder_conf, head, freeze_encoder)
        if checkpoint is not None:
            state = _checkpoint(checkpoint, dl_kwargs)
            own = {n: t for n, t in model.state_dict().items() if n.startswith("head.")}
            if override_checkpoint_head or not own.keys() <= state.keys():
                state |= own
            model.load_state_dict(state, strict=strict)
        return model

    @property
    def encoderConf(self):  # noqa: N802, torchtext's name
        return self._encoder_conf


@dataclass
class T5Bundle:
    """A T5, where its weights are, and `transform()`, which makes its inputs."""

    _config: T5Conf
    _path: str | None = None
    transform: Callable | None = None

    def get_model(
        self, *, with_generation_utils=False, load_weights=True, freeze_model=False,
        dl_kwargs=None, gen_kwargs=None,
    ):  # fmt: skip
        """A `T5Model`, or with `with_generation_utils` a `GenerationUtils` of one."""
        model = self.build_model(
            self._config, freeze_model=freeze_model, strict=True, dl_kwargs=dl_kwargs,
            checkpoint=_published(self._path) if load_weights else None,
        )  # fmt: skip
        return GenerationUtils(model, **(gen_kwargs or {})) if with_generation_utils else model

    @classmethod
    def build_model(
        cls, config, *, freeze_model=False, checkpoint=None, strict=False, dl_kwargs=None
    ):
        """A `T5Model` with the weights of `checkpoint`, a state dict or its address."""
        model = T5Model(config, freeze_model)
        if checkpoint is not None:
            model.load_state_dict(_checkpoint(checkpoint, dl_kwargs), strict=strict)
        return model

    @staticmethod
    def build_model_from_huggingface_ckpt(
        ckpt_path, encoder_only=False, *, freeze_model=False, strict=True
    ):
        """`T5Model.from_pretrained`; `encoder_only` leaves its decoder out."""
        model = T5Model.from_pretrained(Path(ckpt_path))
        if encoder_only:
            model.decoder = model.lm_head = None
        return model.requires_grad_(not freeze_model)

    @property
    def config(self):
        return self._config


class T5Transform(nn.Module):
    """Texts to tokens (N, L) that end in `eos_idx`, cut to `max_seq_len`; `decode` goes back.

    `sp_model_path` is a SentencePiece model, a file or an address.
    """

    def __init__(self, sp_model_path, max_seq_len, eos_idx, padding_idx):
        super().__init__()
        self.sp_model = SentencePiece(asset(sp_model_path))
        self.max_seq_len, self.eos_idx, self.padding_idx = max_seq_len, eos_idx, padding_idx

    def forward(self, input):
        tokens = F.truncate(self.encode(input), self.max_seq_len - 1)
        return F.to_tensor(F.add_token(tokens, self.eos_idx, False), self.padding_idx)

    def encode(self, input):
        """Numbers of tokens, of a text or of each text in a list."""
        if isinstance(input, str):
            return self.sp_model.EncodeAsIds(input)
        return [self.encode(text) for text in input]

    def decode(self, input):
        """The text of numbers of tokens, or the texts of lists of them."""
        if input and isinstance(input[0], list):
            return [self.decode(row) for row in input]
        return self.sp_model.DecodeIds(input)


# What is published


def _roberta_transform(length):
    """GPT-2's tokens, in the order of the model's dictionary, one a line."""
    listed = [line.split()[0] for _, line in numbered_lines(asset(ROBERTA_TOKENS))]
    tokenizer = T.GPT2BPETokenizer(BUCKET + "gpt2_bpe_encoder.json", BUCKET + "gpt2_bpe_vocab.bpe")
    return _framed(tokenizer, listed, length)


def _xlmr_transform(length):
    """SentencePiece's pieces, in their order."""
    tokenizer = T.SentencePieceTokenizer(BUCKET + "xlmr.sentencepiece.bpe.model")
    model = tokenizer.sp_model
    pieces = [model.IdToPiece(number) for number in range(3, model.GetPieceSize())]
    return _framed(tokenizer, pieces, length)


def _framed(tokenizer, tokens, length):
    """A transform to the numbers of tokens, cut to a length, between <s> and </s>."""
    vocab = Vocab(["<s>", "<pad>", "</s>", "<unk>", *tokens, "<mask>"], default_index=3)
    return T.Sequential(
        tokenizer, T.VocabTransform(vocab), T.Truncate(length), T.AddToken(0),
        T.AddToken(2, begin=False),
    )  # fmt: skip


def _t5_transform():
    return T5Transform(BUCKET + "t5_tokenizer_base.model", 512, eos_idx=1, padding_idx=0)


LARGE = {
    "embedding_dim": 1024, "ffn_dimension": 4096, "num_attention_heads": 16,
    "num_encoder_layers": 24,
}  # fmt: skip


def _roberta(file, transform, length, **conf):
    return RobertaBundle(
        RobertaEncoderConf(**conf), BUCKET + file, transform=lambda: transform(length)
    )


XLMR_BASE_ENCODER = _roberta("xlmr.base.encoder.pt", _xlmr_transform, 254, vocab_size=250002)
XLMR_LARGE_ENCODER = _roberta(
    "xlmr.large.encoder.pt", _xlmr_transform, 510, vocab_size=250002, **LARGE
)
ROBERTA_BASE_ENCODER = _roberta("roberta.base.encoder.pt", _roberta_transform, 254)
ROBERTA_LARGE_ENCODER = _roberta("roberta.large.encoder.pt", _roberta_transform, 510, **LARGE)
ROBERTA_DISTILLED_ENCODER = _roberta(
    "roberta.distilled.encoder.pt", _roberta_transform, 510, num_encoder_layers=6
)

SIZES = {  # width, heads, layers, width within, width of a head
    "T5_SMALL": (512, 8, 6, 2048, 64), "T5_BASE": (768, 12, 12, 3072, 64),
    "T5_LARGE": (1024, 16, 24, 4096, 64), "T5_3B": (1024, 32, 24, 16384, 128),
    "T5_11B": (1024, 128, 24, 65536, 128), "FLAN_T5_BASE": (768, 12, 12, 2048, 64),
    "FLAN_T5_LARGE": (1024, 16, 24, 2816, 64), "FLAN_T5_XL": (2048, 32, 24, 5120, 64),
    "FLAN_T5_XXL": (4096, 64, 24, 10240, 64),
}  # fmt: skip


def _t5(name, encoder_only, linear_head):
    """The bundle of one size: the encoder, encoder and decoder, or both with a head."""
    width, heads, layers, within, of_head = SIZES[name]
    flan, _, size = name.rpartition("T5_")
    kind = ".encoder" if encoder_only else ".generation" if linear_head else ""
    version = "" if flan else ".v2"
    config = T5Conf(
        encoder_only, linear_head, width, of_head, heads, layers, layers, within,
        feed_forward_proj="gated-gelu" if flan else None,
    )  # fmt: skip
    family = "t5.flan" if flan else "t5"
    return T5Bundle(config, f"{BUCKET}{family}.{size.lower()}{kind}{version}.pt", _t5_transform)


for _name in SIZES:
    globals()[f"{_name}_ENCODER"] = _t5(_name, True, False)
    globals()[_name] = _t5(_name, False, False)
    globals()[f"{_name}_GENERATION"] = _t5(_name, False, True)

__all__ = ["RobertaBundle", "T5Bundle", "T5Transform"]
__all__ += [
    name for name, value in globals().items() if isinstance(value, RobertaBundle | T5Bundle)
]
