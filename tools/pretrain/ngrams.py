"""What sentiment.py and news.py share: training an `NgramClassifier` on texts held in memory."""

import time

from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import LBFGS
from tallow.utils.checkpointing import CheckpointManager
from tallowtext.models import NgramClassifier

ROUND = 10  # iterations between two checkpoints


def ratios(numbers, offsets, labels, buckets, classes):
    """(buckets, columns): how much likelier an n-gram is in a class than in the others, as a log.

    The "log-count ratio" of Wang and Manning (2012), each count raised by 1.
    """
    lengths = tallow.diff(offsets, append=tallow.tensor([len(numbers)]))
    of_class = labels.repeat_interleave(lengths)
    counts = tallow.ones(classes, buckets)
    counts.index_put_((of_class, numbers), tallow.ones(len(numbers)), accumulate=True)
    others = counts.sum(0) - counts
    own, other = (part / part.sum(1, keepdim=True) for part in (counts, others))
    table = (own / other).log()
    return table[1:].T if classes == 2 else table.T


def train(texts, labels, features, classes, penalty, iterations, folder):
    """A classifier with the least loss, by L-BFGS; goes on from the last checkpoint in a folder.

    Its weights are the ratios times others, of which `penalty` times the squares is added to the
    mean loss.
    """
    started = time.time()
    numbers, offsets = features(texts)
    print(f"{len(texts)} texts, {len(numbers)} n-grams: {time.time() - started:.1f} s")
    scale = ratios(numbers, offsets, labels, features.buckets, classes)
    model = NgramClassifier(classes, features.buckets)
    weight = nn.Parameter(tallow.zeros_like(scale))
    optimizer = LBFGS(
        [weight, model.bias], max_iter=ROUND, max_eval=2 * ROUND, line_search_fn="strong_wolfe"
    )
    checkpoints = CheckpointManager(folder, keep=1)
    done = 0
    if (latest := checkpoints.load()) is not None:
        weight.data.copy_(latest["weight"])
        model.bias.data.copy_(latest["bias"])
        optimizer.load_state_dict(latest["optimizer"])
        done = latest["iterations"]

    def closure():
        optimizer.zero_grad()
        bag = nn.functional.embedding_bag(numbers, weight * scale, offsets, mode="sum")
        scores = bag + model.bias
        if classes == 2:
            loss = nn.functional.binary_cross_entropy_with_logits(scores[:, 0], labels.float())
        else:
            loss = nn.functional.cross_entropy(scores, labels)
        loss = loss + penalty * weight.square().sum()
        loss.backward()
        progress.set_postfix(loss=f"{loss.item():.4f}")
        progress.update()
        return loss

    with tqdm(desc="training", unit="evaluation") as progress:
        for count in range(done + ROUND, iterations + 1, ROUND):
            optimizer.step(closure)
            state = {"weight": weight.data, "bias": model.bias.data}
            state |= {"optimizer": optimizer.state_dict(), "iterations": count}
            checkpoints.save(state, step=count)
    model.table.weight.data.copy_((weight * scale).detach())
    return model


@tallow.inference_mode()
def accuracy(model, features, texts, labels):
    return (model(*features(texts)).argmax(1) == labels).float().mean().item()


def save(model, path):
    """Write the weights as float16; the model has them from then on."""
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    tallow.save(state, path)
    model.load_state_dict(state)
    print(f"{path}: {path.stat().st_size:,} bytes")
