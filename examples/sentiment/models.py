"""Four networks that tell a text's class from the numbers of its words (N, L); 0 is padding."""

from tallow import nn
from tallowtext import models


def transformer(words, classes, width=64, dropout=0.3):
    """A RoBERTa of two small layers, which starts from nothing."""
    conf = models.RobertaEncoderConf(
        words, width, 2 * width, padding_idx=0, max_seq_len=256, num_attention_heads=4,
        num_encoder_layers=2, dropout=dropout,
    )  # fmt: skip
    head = models.RobertaClassificationHead(classes, width, dropout=dropout)
    model = models.RobertaModel(conf, head)
    nn.init.normal_(model.encoder.transformer.token_embedding.weight, std=0.1)
    return model


MODELS = {
    "bag": lambda words, classes: models.EmbeddingBagClassifier(words, classes, dropout=0.5),
    "cnn": lambda words, classes: models.TextCNN(words, classes),
    "lstm": lambda words, classes: models.LSTMClassifier(words, classes),
    "transformer": transformer,
}
