"""Beam search over CTC emissions, all hypotheses and tokens of a frame at once.

After flashlight's decoders (Pratap et al., "Wav2Letter++", 2019): hypotheses that agree in what was
said, in the place in the lexicon and in the last token are one.
"""

from dataclasses import dataclass, replace

import numpy as np

NONE = -1  # no word


@dataclass
class Options:
    """What hypotheses are scored and pruned by; `tokens` are tried in a frame, the likeliest."""

    beam_size: int
    tokens: int
    threshold: float
    lm_weight: float
    word_score: float
    unk_score: float
    sil_score: float
    log_add: bool


@dataclass
class Beam:
    """Hypotheses, or candidates for them: arrays with an entry for each.

    `said` identifies the words or tokens so far, `state` is the language model's, `node` the place
    in the tree of words, `token` the last one, `blank` whether a blank came since. `parent` is
    their place in the beam before, `word` what they ended just now.
    """

    score: np.ndarray
    said: np.ndarray
    state: np.ndarray
    node: np.ndarray
    token: np.ndarray
    blank: np.ndarray
    parent: np.ndarray
    word: np.ndarray

    @classmethod
    def first(cls, state, silence):
        zero = np.zeros(1, np.int64)
        return cls(
            np.zeros(1), zero.astype(np.uint64), zero + state, zero, zero + silence,
            zero.astype(bool), zero, zero + NONE,
        )  # fmt: skip

    def take(self, rows):
        return Beam(*(array[rows] for array in vars(self).values()))

    def after(self, rows, **changed):
        """Candidates that follow from hypotheses `rows`, alike but for what is `changed`."""
        found = self.take(rows)
        found.parent, found.word = rows, np.full(len(rows), NONE)
        shape = found.score.shape
        return replace(found, **{k: np.broadcast_to(v, shape).copy() for k, v in changed.items()})


def mixed(identity, more):
    """Another identity for what is extended by integers: 64 bits, in effect unique."""
    found = (identity + more.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return found ^ (found >> np.uint64(29))


def joined(beams):
    arrays = zip(*(vars(beam).values() for beam in beams), strict=True)
    return Beam(*map(np.concatenate, arrays))


class Search:
    """One sound decoded: `step` for each frame, then `finish`."""

    def __init__(self, options, lm, words_of_tokens, tree, unknown, silence, blank):
        self.options, self.lm, self.tree = options, lm, tree
        self.words_of_tokens = words_of_tokens  # of a model over tokens
        self.unknown, self.silence, self.blank = unknown, silence, blank
        self.beams = [Beam.first(lm.start(), silence)]

    def step(self, emission):
        """Go on by a frame, whose tokens have log probabilities (tokens,)."""
        options, beam = self.options, self.beams[-1]
        tokens = np.argsort(-emission, kind="stable")[: options.tokens]
        scores = emission.astype(np.float64)
        scores[self.silence] += options.sil_score
        extend = self._by_token if self.tree is None else self._by_lexicon
        self.beams.append(self._pruned(extend(beam, tokens, scores)))

    def _by_token(self, beam, tokens, scores):
        """Each hypothesis with each token."""
        rows = np.repeat(np.arange(len(beam.score)), len(tokens))
        tokens = np.tile(tokens, len(beam.score))
        is_blank = tokens == self.blank
        found = beam.after(
            rows, score=beam.score[rows] + scores[tokens], token=tokens, blank=is_blank
        )
        new = np.flatnonzero(~is_blank & ((tokens != beam.token[rows]) | beam.blank[rows]))
        rows, tokens = rows[new], tokens[new]
        added, found.state[new] = self.lm.score(beam.state[rows], self.words_of_tokens[tokens])
        found.score[new] += self.options.lm_weight * added
        found.said[new] = mixed(beam.said[rows], tokens)
        return found

    def _by_lexicon(self, beam, tokens, scores):
        """Each hypothesis further into its word, at the end of it, where it was, or at a blank."""
        rows = np.repeat(np.arange(len(beam.score)), len(tokens))
        tried = np.tile(tokens, len(beam.score))
        node, there = self.tree.children(beam.node[rows], tried)
        rows, tried, node = rows[there], tried[there], node[there]
        score = beam.score[rows] + scores[tried]
        promised = self.tree.best[beam.node[rows]]  # counted already, for the word begun
        weight = self.options.lm_weight

        fresh = (beam.blank[rows] | (tried != beam.token[rows])) & self.tree.inner[node]
        within = beam.after(
            rows[fresh], score=(score + weight * (self.tree.best[node] - promised))[fresh],
            node=node[fresh], token=tried[fresh], blank=False,
        )  # fmt: skip
        # the same token again does not begin another word of one token
        ended = (beam.node[rows] != 0) | (tried != beam.token[rows])
        words = self._words(
            beam, rows[ended], tried[ended], node[ended], score[ended], promised[ended]
        )
        stays = np.flatnonzero(~beam.blank | (beam.node == 0))
        token = np.where(beam.node == 0, self.silence, beam.token)[stays]
        same = beam.after(stays, score=beam.score[stays] + scores[token], token=token, blank=False)
        every = np.arange(len(beam.score))
        pause = beam.after(
            every, score=beam.score + scores[self.blank], token=self.blank, blank=True
        )
        return joined([within, *words, same, pause])

    def _words(self, beam, rows, tokens, node, score, promised):
        """The candidates that end a word of the lexicon, and those that end an unknown one."""
        begin, end = self.tree.ends[node], self.tree.ends[node + 1]
        count = end - begin
        which = np.repeat(np.arange(len(node)), count)
        within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        labels = self.tree.labels[begin[which] + within]
        yield self._ended(
            beam, rows[which], tokens[which], score[which], promised[which], labels,
            self.options.word_score,
        )  # fmt: skip
        if self.options.unk_score > -np.inf:
            none = count == 0
            labels = np.full(none.sum(), self.unknown)
            yield self._ended(
                beam, rows[none], tokens[none], score[none], promised[none], labels,
                self.options.unk_score,
            )  # fmt: skip

    def _ended(self, beam, rows, tokens, score, promised, labels, bonus):
        added, state = self.lm.score(beam.state[rows], labels)
        score = score + self.options.lm_weight * (added - promised) + bonus
        return beam.after(
            rows, score=score, said=mixed(beam.said[rows], labels), state=state, node=0,
            token=tokens, blank=False, word=labels,
        )  # fmt: skip

    def _pruned(self, found):
        """The best candidates, those that are the same merged."""
        good = found.score >= found.score.max() - self.options.threshold
        found = found.take(np.flatnonzero(good))
        identity = mixed(mixed(found.said, found.node), found.token * 2 + found.blank)
        order = np.lexsort((-found.score, identity))
        first = np.flatnonzero(np.r_[True, np.diff(identity[order]) != 0])
        best = found.take(order[first])
        if self.options.log_add:
            best.score = np.logaddexp.reduceat(found.score[order], first)
        return best.take(np.argsort(-best.score, kind="stable")[: self.options.beam_size])

    def finish(self):
        """End the sound: hypotheses within a word are dropped if any is not."""
        beam = self.beams[-1]
        rows = np.arange(len(beam.score))
        if self.tree is not None and (beam.node == 0).any():
            rows = rows[beam.node == 0]
        score = beam.score[rows] + self.options.lm_weight * self.lm.finish(beam.state[rows])
        self.beams.append(
            self._pruned(beam.after(rows, score=score, token=self.silence, blank=False))
        )

    def best(self, count):
        """The best hypotheses: (score, tokens, words), a token a frame between two silences."""
        results = []
        for row in range(min(count, len(self.beams[-1].score))):
            score, tokens, words = float(self.beams[-1].score[row]), [], []
            for beam in reversed(self.beams):
                tokens.append(int(beam.token[row]))
                words.append(int(beam.word[row]))
                row = beam.parent[row]
            words = [word for word in reversed(words) if word != NONE]
            results.append((score, np.array(tokens[::-1]), words))
        return results
