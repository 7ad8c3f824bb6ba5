"""The sequence-to-sequence tutorial in shape: nn.Transformer, masks, padding, greedy decoding."""

import math
import random
import time

import torch
import torch.nn as nn
from torch import optim
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

PAD_IDX, BOS_IDX, EOS_IDX = 0, 1, 2
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


class Reversed(Dataset):
    def __init__(self, count):
        rng = random.Random(0)
        self.rows = [[rng.randint(3, 9) for _ in range(rng.randint(2, 6))] for _ in range(count)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return torch.tensor(self.rows[i]), torch.tensor(self.rows[i][::-1])


def collate_fn(batch):
    ends = lambda x: torch.cat((torch.tensor([BOS_IDX]), x, torch.tensor([EOS_IDX])))
    src, tgt = zip(*[(ends(s), ends(t)) for s, t in batch])
    return pad_sequence(list(src), padding_value=PAD_IDX), pad_sequence(list(tgt), padding_value=PAD_IDX)


class PositionalEncoding(nn.Module):
    def __init__(self, emb_size: int, dropout: float, maxlen: int = 50):
        super(PositionalEncoding, self).__init__()
        den = torch.exp(- torch.arange(0, emb_size, 2) * math.log(10000) / emb_size)
        pos = torch.arange(0, maxlen).reshape(maxlen, 1)
        pos_embedding = torch.zeros((maxlen, emb_size))
        pos_embedding[:, 0::2] = torch.sin(pos * den)
        pos_embedding[:, 1::2] = torch.cos(pos * den)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer('pos_embedding', pos_embedding.unsqueeze(-2))

    def forward(self, token_embedding: torch.Tensor):
        return self.dropout(token_embedding + self.pos_embedding[:token_embedding.size(0), :])


class Seq2SeqTransformer(nn.Module):
    def __init__(self, size=16, vocab=10):
        super().__init__()
        self.transformer = nn.Transformer(
            d_model=size, nhead=2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=32,
            dropout=0.1)
        self.generator = nn.Linear(size, vocab)
        self.src_tok_emb = nn.Embedding(vocab, size)
        self.tgt_tok_emb = nn.Embedding(vocab, size)
        self.positional_encoding = PositionalEncoding(size, dropout=0.1)
        self.size = size

    def embed(self, table, tokens):
        return self.positional_encoding(table(tokens.long()) * math.sqrt(self.size))

    def forward(self, src, trg, src_mask, tgt_mask, src_padding_mask, tgt_padding_mask):
        outs = self.transformer(
            self.embed(self.src_tok_emb, src), self.embed(self.tgt_tok_emb, trg), src_mask,
            tgt_mask, None, src_padding_mask, tgt_padding_mask, src_padding_mask)
        return self.generator(outs)

    def encode(self, src, src_mask):
        return self.transformer.encoder(self.embed(self.src_tok_emb, src), src_mask)

    def decode(self, tgt, memory, tgt_mask):
        return self.transformer.decoder(self.embed(self.tgt_tok_emb, tgt), memory, tgt_mask)


def generate_square_subsequent_mask(sz):
    mask = (torch.triu(torch.ones((sz, sz), device=DEVICE)) == 1).transpose(0, 1)
    mask = mask.float().masked_fill(mask == 0, float('-inf')).masked_fill(mask == 1, float(0.0))
    return mask


def create_mask(src, tgt):
    src_mask = torch.zeros((src.shape[0], src.shape[0]), device=DEVICE).type(torch.bool)
    return (src_mask, generate_square_subsequent_mask(tgt.shape[0]) < 0,
            (src == PAD_IDX).transpose(0, 1), (tgt == PAD_IDX).transpose(0, 1))


torch.manual_seed(0)
transformer = Seq2SeqTransformer()
for p in transformer.parameters():
    if p.dim() > 1:
        nn.init.xavier_uniform_(p)
transformer = transformer.to(DEVICE)
loss_fn = torch.nn.CrossEntropyLoss(ignore_index=PAD_IDX)
optimizer = torch.optim.Adam(transformer.parameters(), lr=3e-3, betas=(0.9, 0.98), eps=1e-9)
scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 8))
for epoch in range(2):
    start, losses = time.time(), 0
    transformer.train()
    loader = DataLoader(Reversed(64), batch_size=16, collate_fn=collate_fn, shuffle=True)
    for src, tgt in loader:
        src, tgt = src.to(DEVICE), tgt.to(DEVICE)
        tgt_input = tgt[:-1, :]
        masks = create_mask(src, tgt_input)
        logits = transformer(src, tgt_input, *masks)
        optimizer.zero_grad()
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt[1:, :].reshape(-1))
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses += loss.item()
    print(f"Epoch: {epoch}, Train loss: {losses / len(loader):.3f}", time.time() >= start)
transformer.eval()
src = torch.tensor([[BOS_IDX, 4, 5, 6, EOS_IDX]]).t()
memory = transformer.encode(src, torch.zeros(5, 5).type(torch.bool))
ys = torch.ones(1, 1).fill_(BOS_IDX).type(torch.long)
for i in range(4):
    out = transformer.decode(ys, memory, generate_square_subsequent_mask(ys.size(0)).type(torch.bool) * False)
    prob = transformer.generator(out.transpose(0, 1)[:, -1])
    _, next_word = torch.max(prob, dim=1)
    ys = torch.cat([ys, torch.ones(1, 1).type_as(src.data).fill_(next_word.item())], dim=0)
print(list(ys.shape), prob.topk(2).indices.tolist())
