"""RoBERTa and XLM-R (Liu et al., 2019; Conneau et al., 2020), with torchtext's names."""

from dataclasses import asdict, dataclass

from tallow import nn
from tallow.errors import TypeMismatchError
from tallowtext.models._encoder import FIELDS, Encoder, layout
from tallowtext.models._pretrained import Pretrained

__all__ = ["RobertaClassificationHead", "RobertaEncoder", "RobertaEncoderConf", "RobertaModel"]


@dataclass
class RobertaEncoderConf:
    """The shape of a RoBERTa encoder, by default the base one of 125 million parameters."""

    vocab_size: int = 50265
    embedding_dim: int = 768
    ffn_dimension: int = 3072
    padding_idx: int = 1
    max_seq_len: int = 514
    num_attention_heads: int = 12
    num_encoder_layers: int = 12
    dropout: float = 0.1
    scaling: float | None = None
    normalize_before: bool = False
    layer_norm_eps: float = 1e-5
    type_vocab_size: int = 0
    activation: str = "gelu"


class RobertaEncoder(nn.Module):
    """Tokens (N, L) to features (N, L, embedding_dim), or (M, embedding_dim) of masked ones.

    `masked_tokens` (N, L) is true for M of the tokens. `scaling` is as in torchtext: of no effect.
    """

    def __init__(
        self, vocab_size, embedding_dim, ffn_dimension, padding_idx, max_seq_len,
        num_attention_heads, num_encoder_layers, dropout=0.1, scaling=None, normalize_before=False,
        freeze=False, **more,
    ):  # fmt: skip
        super().__init__()
        self.transformer = Encoder(
            vocab_size, embedding_dim, ffn_dimension, padding_idx, max_seq_len,
            num_attention_heads, num_encoder_layers, dropout, normalize_before, **more,
        )  # fmt: skip
        self.requires_grad_(not freeze)

    def forward(self, tokens, masked_tokens=None):
        output = self.transformer(tokens)
        return output if masked_tokens is None else output[masked_tokens.bool()]


class RobertaClassificationHead(nn.Module):
    """Features (N, L, input_dim) to scores (N, num_classes), from those of the first token.

    >>> import tallow
    >>> from tallowtext.models import RobertaClassificationHead
    >>> tuple(RobertaClassificationHead(3, 8)(tallow.randn(2, 5, 8)).shape)
    (2, 3)
    """

    def __init__(self, num_classes, input_dim, inner_dim=None, dropout=0.1, activation=nn.ReLU):
        super().__init__()
        self.dense = nn.Linear(input_dim, inner_dim or input_dim)
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(inner_dim or input_dim, num_classes)
        self.activation_fn = activation()

    def forward(self, features):
        x = self.activation_fn(self.dense(self.dropout(features[:, 0])))
        return self.out_proj(self.dropout(x))


class RobertaModel(Pretrained):
    """A RoBERTa encoder, and a head that is given its features if there is one.

    `from_pretrained` reads RoBERTa and XLM-R, and the head of a classifier where there is one.

    >>> import tallow
    >>> from tallowtext.models import RobertaClassificationHead, RobertaEncoderConf, RobertaModel
    >>> conf = RobertaEncoderConf(100, 16, 32, num_attention_heads=2, num_encoder_layers=1)
    >>> model = RobertaModel(conf, RobertaClassificationHead(num_classes=2, input_dim=16))
    >>> tuple(model(tallow.tensor([[0, 8, 9, 2], [0, 8, 2, 1]])).shape)
    (2, 2)
    """

    conf = RobertaEncoderConf
    model_types = ("roberta", "xlm-roberta")
    prefix = "roberta."
    fields = FIELDS
    layout = (
        layout("encoder.transformer.", "roberta.")
        + """
        head.dense.weight     classifier.dense.weight
        head.dense.bias       classifier.dense.bias
        head.out_proj.weight  classifier.out_proj.weight
        head.out_proj.bias    classifier.out_proj.bias
    """
    )

    def __init__(self, encoder_conf, head=None, freeze_encoder=False):
        super().__init__()
        if not isinstance(encoder_conf, RobertaEncoderConf):
            raise TypeMismatchError(
                f"RobertaModel: expected a RobertaEncoderConf, got {type(encoder_conf).__name__}"
            )
        self.config = encoder_conf
        self.encoder = RobertaEncoder(**asdict(encoder_conf), freeze=freeze_encoder)
        self.head = head

    def forward(self, tokens, masked_tokens=None):
        features = self.encoder(tokens, masked_tokens)
        return features if self.head is None else self.head(features)

    @classmethod
    def _from_config(cls, config, weights):
        conf, head = cls._conf(config), None
        if "classifier.out_proj.weight" in weights:
            classes = len(weights["classifier.out_proj.weight"])
            head = RobertaClassificationHead(
                classes, conf.embedding_dim, dropout=conf.dropout, activation=nn.Tanh
            )
        return cls(conf, head)
