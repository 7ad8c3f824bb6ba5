"""Four networks that tell a text's class from the numbers of its words (N, L); 0 is padding."""

from tallowtext import models


def transformer(words, classes, width=64, dropout=0.1):
    """A RoBERTa of two small layers, which starts from nothing."""
    conf = models.RobertaEncoderConf(
        words, width, 2 * width, padding_idx=0, max_seq_len=256, num_attention_heads=4,
        num_encoder_layers=2, dropout=dropout, normalize_before=True,
    )  # fmt: skip
    head = models.RobertaClassificationHead(classes, width, dropout=dropout)
    return models.RobertaModel(conf, head)


MODELS = {
    "bag": lambda words, classes: models.EmbeddingBagClassifier(words, classes, dropout=0.5),
    "cnn": lambda words, classes: models.TextCNN(words, classes),
    "lstm": lambda words, classes: models.LSTMClassifier(words, classes),
    "transformer": transformer,
}
