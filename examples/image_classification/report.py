"""What was learnt: a table of the classes, curves over the epochs, predictions for images."""

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot as plt

RIGHT, WRONG = "#2a7f3f", "#c0392b"


def per_class(predicted, labels, classes):
    """A table of how well each class is found: precision, recall, and how many images it has."""
    width = max(8, *map(len, classes))
    lines = [f"{'class':>{width}}  precision  recall  images"]
    for index, name in enumerate(classes):
        hits = ((predicted == index) & (labels == index)).sum().item()
        called, images = (predicted == index).sum().item(), (labels == index).sum().item()
        precision, recall = hits / called if called else 0.0, hits / images if images else 0.0
        lines.append(f"{name:>{width}}  {precision:9.1%}  {recall:6.1%}  {images:6}")
    return "\n".join(lines)


def draw_curves(history, path):
    """Loss and accuracy over the epochs, side by side."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, quantity in zip(axes, ("loss", "accuracy"), strict=True):
        for part in ("train", "test"):
            values = history[f"{part} {quantity}"]
            axis.plot(range(1, len(values) + 1), values, label=part)
        axis.set(xlabel="epoch", title=quantity)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_predictions(dataset, scores, classes, path, rows=4, columns=8):
    """A grid of images: some of those that were taken for another class, then of the others."""
    labels = [int(dataset[i][1]) for i in range(len(dataset))]
    predicted = scores.argmax(1).tolist()
    missed = [i for i, label in enumerate(labels) if predicted[i] != label]
    missed = missed[:: -(-len(missed) // (rows * columns)) or 1]  # of all classes
    order = missed + [i for i, label in enumerate(labels) if predicted[i] == label]
    figure, axes = plt.subplots(rows, columns, figsize=(columns * 1.2, rows * 1.6))
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, order, strict=False):
        image = dataset[i][0].permute(1, 2, 0).numpy()
        low, high = image.min(), image.max()
        axis.imshow((image - low) / max(high - low, 1e-6), cmap="gray_r")
        right = predicted[i] == labels[i]
        said = classes[predicted[i]]
        title = said if right else f"{said},\nnot {classes[labels[i]]}"
        axis.set_title(title, fontsize=8, color=RIGHT if right else WRONG)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
