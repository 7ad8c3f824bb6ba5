"""Writing with a language model: the likeliest token each time, a random one, or a beam search.

`read(tokens)` takes the next tokens (N, L) of N sequences and gives the scores (N, vocabulary) of
what follows; it remembers what it has read, and `reorder(index)` rearranges what it remembers.
"""

import tallow
from tallow.errors import ArgumentError
from tallow.nn import functional as F

NEVER = -1e9  # log of a probability that nothing can have
EMPTY = -1  # behind the end of a sequence, as long as it may be compared with others


def restrict(scores, top_k=0, top_p=1.0):
    """Scores (N, vocabulary) with -inf but for the best ones.

    `top_k`: so many (0: all). `top_p`: those of the likeliest tokens that together reach this
    probability (Holtzman et al., 2020).

    >>> import tallow
    >>> restrict(tallow.tensor([[2.0, 1.0, 0.0]]), top_k=2)
    tensor([[2., 1., -inf]])
    """
    if top_k < 0 or not 0 < top_p <= 1:
        raise ArgumentError(
            f"generate: expected top_k >= 0 and top_p from 0 to 1, got {top_k} and {top_p}"
        )
    if 0 < top_k < scores.shape[-1]:
        least = scores.topk(top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, -tallow.inf)
    if top_p < 1:
        ordered, order = scores.sort(descending=True)
        chances = F.softmax(ordered, -1)
        beyond = chances.cumsum(-1) - chances >= top_p
        scores = scores.masked_fill(
            tallow.zeros_like(beyond).scatter(-1, order, beyond), -tallow.inf
        )
    return scores


def chooser(do_sample=False, temperature=1.0, top_k=0, top_p=1.0):
    """A function from scores (N, vocabulary) to the next tokens (N,)."""
    if not do_sample:
        return lambda scores: scores.argmax(-1)
    if not temperature > 0:
        raise ArgumentError(f"generate: expected a temperature above 0, got {temperature}")

    def draw(scores):
        chances = F.softmax(restrict(scores / temperature, top_k, top_p), -1)
        return tallow.multinomial(chances, 1)[:, 0]

    return draw


def write(read, tokens, new, choose, eos, pad):
    """Sequences (N, L) with `new` chosen tokens, or fewer if all end; `pad` is behind an end."""
    written, done = tokens, tallow.zeros(len(tokens), dtype=tallow.bool, device=tokens.device)
    for _ in range(new):
        following = choose(read(tokens)).masked_fill(done, pad)
        tokens = following[:, None]
        written = tallow.cat([written, tokens], 1)
        if eos is not None:
            done |= following == eos
            if done.all():
                break
    return written


def beam_search(read, reorder, tokens, new, beams, eos, pad, length_penalty=1.0):
    """The likeliest continuations (N, L + up to `new`) that `beams` candidates at a time find.

    A sequence that ends counts by its log probability over its new tokens to the power of
    `length_penalty`. The search for a text is over when no candidate can do better any more.
    """
    batch, start = tokens.shape
    rows = tallow.arange(batch, device=tokens.device)[:, None]
    running = tokens.repeat_interleave(beams, 0)
    scores = tallow.full((batch, beams), NEVER, device=tokens.device)
    scores[:, 0] = 0.0
    ended = tallow.full((batch, beams, start + new), EMPTY, device=tokens.device)
    best = tallow.full((batch, beams), NEVER, device=tokens.device)
    following = running
    for length in range(1, new + 1):
        chances = F.log_softmax(read(following), -1)
        vocabulary = chances.shape[-1]
        totals = (chances.unflatten(0, (batch, beams)) + scores[..., None]).flatten(1)
        totals, places = totals.topk(min(2 * beams, totals.shape[1]))
        parents, chosen = places // vocabulary, places % vocabulary
        texts = tallow.cat(
            [running.unflatten(0, (batch, beams))[rows, parents], chosen[..., None]], 2
        )
        ends = chosen == (-1 if eos is None else eos)
        if length == new:
            ends = tallow.ones_like(ends)
        ended, best = _with_ended(ended, best, texts, totals / length**length_penalty, ends)
        scores, kept = totals.masked_fill(ends, NEVER).topk(beams)
        if (scores[:, 0] / length**length_penalty <= best[:, -1]).all():
            break
        running = texts[rows, kept].flatten(0, 1)
        following = running[:, -1:]
        reorder((rows * beams + parents.gather(1, kept)).flatten())
    winners = ended[:, 0]
    used = (winners != EMPTY).any(0).sum()
    return winners[:, : int(used)].masked_fill(winners[:, : int(used)] == EMPTY, pad)


def _with_ended(ended, best, texts, worth, ends):
    """The best texts that have ended, with those of the first candidates that do now."""
    beams, width = ended.shape[1:]
    texts = F.pad(texts[:, :beams], (0, width - texts.shape[2]), value=EMPTY)
    worth = worth[:, :beams].masked_fill(~ends[:, :beams], NEVER)
    best, order = tallow.cat([best, worth], 1).topk(beams)
    rows = tallow.arange(len(order), device=order.device)[:, None]
    return tallow.cat([ended, texts], 1)[rows, order], best


class Writer:
    """What models that write share: `generate`, on their `_reader`."""

    @tallow.no_grad()
    def generate(
        self, tokens, max_new_tokens=20, num_beams=1, do_sample=False, temperature=1.0, top_k=0,
        top_p=1.0, length_penalty=1.0, eos_token_id=None, pad_token_id=0, attention_mask=None,
    ):  # fmt: skip
        """What the model makes of `tokens` (N, L): tokens (N, up to `max_new_tokens` more).

        The likeliest token each time; one drawn with `do_sample`, where `temperature` divides the
        scores, and only the `top_k` best or those that together reach probability `top_p` count; or
        the likeliest sequence that a search with `num_beams` candidates finds, where
        `length_penalty` above 1 favours long ones. `eos_token_id` ends a sequence, `pad_token_id`
        fills it up. `attention_mask` (N, L) is 0 for tokens that are padding: on the left, where
        the model goes on writing. ArgumentError for what cannot be.
        """
        if tokens.ndim != 2 or not tokens.numel():
            raise ArgumentError(
                f"generate: expected tokens (batch, length), got {tuple(tokens.shape)}; an empty "
                "text needs a first token to go on from"
            )
        if max_new_tokens < 1 or num_beams < 1 or (do_sample and num_beams > 1):
            raise ArgumentError(
                "generate: expected max_new_tokens and num_beams >= 1, and one beam with "
                f"do_sample, got {max_new_tokens} and {num_beams}"
            )
        choose = chooser(do_sample, temperature, top_k, top_p)
        read, reorder, begun = self._reader(tokens, attention_mask, max_new_tokens, num_beams)
        if num_beams == 1:
            return write(read, begun, max_new_tokens, choose, eos_token_id, pad_token_id)
        return beam_search(
            read, reorder, begun, max_new_tokens, num_beams, eos_token_id, pad_token_id,
            length_penalty,
        )  # fmt: skip


def reordering(cache):
    """A function that puts the sequences of a cache, a list with an entry a layer, in an order."""

    def reorder(index):
        cache[:] = [tuple(kept.index_select(0, index) for kept in layer) for layer in cache]

    return reorder
