"""Pictures: curves over the epochs, what is taken for what, and the sounds themselves."""

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

RIGHT, WRONG = "#2a7f3f", "#c0392b"


def _save(figure, path):
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_curves(history, path):
    """Loss while learning and accuracy on the test set, side by side."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, (name, values) in zip(axes, history.items(), strict=True):
        axis.plot(range(1, len(values) + 1), values)
        axis.set(xlabel="epoch", title=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    _save(figure, path)


def draw_confusion(predicted, digits, path):
    """How often each digit was taken for each."""
    counts = [[0] * 10 for _ in range(10)]
    for said, heard in zip(digits.tolist(), predicted.tolist(), strict=True):
        counts[said][heard] += 1
    figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    axis.imshow(counts, cmap="Greens", vmax=2 * max(map(max, counts)))
    for said, row in enumerate(counts):
        for heard, count in enumerate(row):
            if count:
                axis.text(heard, said, count, ha="center", va="center", fontsize=9)
    axis.set(xlabel="heard", ylabel="said", xticks=range(10), yticks=range(10))
    _save(figure, path)


def draw_sounds(pictures, digits, scores, path, rows=4, columns=6):
    """Mel spectrograms with what was heard, mistakes first."""
    predicted = scores.argmax(1)
    order = (predicted == digits).int().argsort(stable=True).tolist()
    step = max(1, len(order) // (rows * columns))
    figure, axes = plt.subplots(rows, columns, figsize=(columns * 1.8, rows * 1.5))
    for axis, i in zip(axes.flat, order[::step], strict=False):
        axis.imshow(pictures[i, 0].numpy(), origin="lower", aspect="auto", cmap="magma")
        said, heard = int(digits[i]), int(predicted[i])
        title = f"{heard}" if said == heard else f"{heard}, not {said}"
        axis.set_title(title, fontsize=9, color=RIGHT if said == heard else WRONG)
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    _save(figure, path)
