"""BERT: features of each token, from all around it (Devlin et al., 2019)."""

from dataclasses import asdict, dataclass

import tallow
from tallow import nn
from tallowtext.models._encoder import FIELDS, Encoder, layout
from tallowtext.models._pretrained import Pretrained

__all__ = ["BertConf", "BertModel"]


@dataclass
class BertConf:
    """The shape of a BERT, by default the base one of 110 million parameters."""

    vocab_size: int = 30522
    embedding_dim: int = 768
    ffn_dimension: int = 3072
    padding_idx: int = 0
    max_seq_len: int = 512
    num_attention_heads: int = 12
    num_encoder_layers: int = 12
    dropout: float = 0.1
    layer_norm_eps: float = 1e-12
    type_vocab_size: int = 2
    activation: str = "gelu"


class BertModel(Pretrained):
    """Features (N, L, embedding_dim) of tokens (N, L), and (N, embedding_dim) of the whole text.

    The latter are those of the first token, through `pooler`. A `head`, `nn.Linear(embedding_dim,
    classes)`, makes them scores, which alone are returned then. It is called with what a
    `Tokenizer` gives: `model(**tokenizer(texts))`; `token_type_ids` are 1 in a pair's second text,
    `attention_mask` is 0 for padding.

    >>> import tallow
    >>> from tallowtext.models import BertConf, BertModel
    >>> model = BertModel(BertConf(100, 16, 32, num_attention_heads=2, num_encoder_layers=1))
    >>> features, pooled = model(tallow.tensor([[2, 8, 9, 3]]))
    >>> tuple(features.shape), tuple(pooled.shape)
    ((1, 4, 16), (1, 16))
    """

    conf = BertConf
    model_types = ("bert",)
    prefix = "bert."
    fields = FIELDS
    layout = (
        layout("encoder.", "bert.")
        + """
        pooler.weight bert.pooler.dense.weight
        pooler.bias   bert.pooler.dense.bias
        head.weight   classifier.weight
        head.bias     classifier.bias
    """
    )

    def __init__(self, config, head=None):
        super().__init__()
        self.config = config
        self.encoder = Encoder(**asdict(config), counts_padding=True)
        self.pooler = nn.Linear(config.embedding_dim, config.embedding_dim)
        self.dropout = nn.Dropout(config.dropout)
        self.head = head

    def forward(self, input_ids, attention_mask=None, token_type_ids=None):
        hidden = None if attention_mask is None else attention_mask == 0
        features = self.encoder(input_ids, token_type_ids, hidden)
        pooled = tallow.tanh(self.pooler(features[:, 0]))
        return (features, pooled) if self.head is None else self.head(self.dropout(pooled))

    @classmethod
    def _from_config(cls, config, weights):
        conf, head = cls._conf(config), None
        if "classifier.weight" in weights:
            head = nn.Linear(conf.embedding_dim, len(weights["classifier.weight"]))
        return cls(conf, head)
