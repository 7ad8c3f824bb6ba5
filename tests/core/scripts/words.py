"""The word language model in shape: LSTM with tied weights, detached state, clipping, perplexity."""

import argparse
import math

import torch
import torch.nn as nn


class Dictionary(object):
    def __init__(self):
        self.word2idx = {}
        self.idx2word = []

    def add_word(self, word):
        if word not in self.word2idx:
            self.idx2word.append(word)
            self.word2idx[word] = len(self.idx2word) - 1
        return self.word2idx[word]


class RNNModel(nn.Module):
    def __init__(self, rnn_type, ntoken, ninp, nhid, nlayers, dropout=0.5, tie_weights=False):
        super(RNNModel, self).__init__()
        self.ntoken = ntoken
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = getattr(nn, rnn_type)(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        if tie_weights:
            self.decoder.weight = self.encoder.weight
        self.init_weights()
        self.rnn_type, self.nhid, self.nlayers = rnn_type, nhid, nlayers

    def init_weights(self):
        initrange = 0.1
        nn.init.uniform_(self.encoder.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        decoded = self.decoder(self.drop(output))
        decoded = decoded.view(-1, self.ntoken)
        return nn.functional.log_softmax(decoded, dim=1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        if self.rnn_type == 'LSTM':
            return (weight.new_zeros(self.nlayers, bsz, self.nhid),
                    weight.new_zeros(self.nlayers, bsz, self.nhid))
        return weight.new_zeros(self.nlayers, bsz, self.nhid)


def batchify(data, bsz, device):
    nbatch = data.size(0) // bsz
    data = data.narrow(0, 0, nbatch * bsz)
    data = data.view(bsz, -1).t().contiguous()
    return data.to(device)


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


parser = argparse.ArgumentParser()
parser.add_argument('--out')
parser.add_argument('--model', default='LSTM')
parser.add_argument('--bptt', type=int, default=7)
parser.add_argument('--clip', type=float, default=0.25)
args = parser.parse_args()
torch.manual_seed(1111)
if torch.cuda.is_available():
    print("WARNING: You have a CUDA device, so you should probably run with --cuda.")
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

dictionary = Dictionary()
text = "the cat sat on the mat and the dog sat on the log <eos> " * 12
ids = torch.tensor([dictionary.add_word(word) for word in text.split()]).type(torch.int64)
train_data = batchify(ids, 4, device)
criterion = nn.NLLLoss()
for kind in ('LSTM', 'GRU'):
    model = RNNModel(kind, len(dictionary.idx2word), 16, 16, 2, 0.2, True).to(device)
    lr = 5
    best = None
    for epoch in range(2):
        model.train()
        total_loss = 0.
        hidden = model.init_hidden(4)
        for batch, i in enumerate(range(0, train_data.size(0) - 1, args.bptt)):
            seq_len = min(args.bptt, len(train_data) - 1 - i)
            data, targets = train_data[i:i + seq_len], train_data[i + 1:i + 1 + seq_len].view(-1)
            model.zero_grad()
            hidden = repackage_hidden(hidden)
            output, hidden = model(data, hidden)
            loss = criterion(output, targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
            for p in model.parameters():
                p.data.add_(p.grad, alpha=-lr)
            total_loss += loss.item()
        cur_loss = total_loss / (batch + 1)
        print('| {} | epoch {:3d} | loss {:5.2f} | ppl {:8.2f}'.format(
            kind, epoch, cur_loss, math.exp(cur_loss)))
        if not best or cur_loss < best:
            with open(args.out, 'wb') as f:
                torch.save(model.state_dict(), f)
            best = cur_loss
        else:
            lr /= 4.0
    with open(args.out, 'rb') as f:
        model.load_state_dict(torch.load(f))
    model.rnn.flatten_parameters()
    with torch.no_grad():
        input = torch.zeros((1, 1), dtype=torch.long, device=device)
        output, hidden = model(input, model.init_hidden(1))
        word_weights = output.squeeze().div(1.0).exp().cpu()
        print(' '.join(dictionary.idx2word[i] for i in word_weights.topk(3).indices.tolist()))
