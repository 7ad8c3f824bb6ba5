"""Teach a network that has seen other pictures yours: a folder of pictures for each class.

    python train.py --data DIR                      resnet20, which comes with tallowvision
    python train.py --data DIR --model resnet18     a larger one, whose weights are downloaded once
    python train.py --data DIR --model resnet20 --weights runs/mine/model.safetensors
    python train.py --generated                     no pictures at hand: patterns, made in --out

DIR holds a folder for each class; a fifth of the pictures is held out. First the last layer alone
is trained, on what the network makes of the pictures, which takes seconds; then, for --epochs, the
whole network, ten times as carefully. Written to --out: model.safetensors and classes.txt, which
`python -m tallowvision classify --weights --categories` take, and the pictures curves.png and
predictions.png.
"""

import argparse
from pathlib import Path

import matplotlib
import patterns
from tqdm import tqdm

import tallow
from tallow import nn
from tallow.optim import AdamW
from tallow.optim.lr_scheduler import OneCycleLR
from tallow.utils.data import DataLoader, Subset, TensorDataset
from tallowvision import models, transforms
from tallowvision.datasets import ImageFolder

matplotlib.use("agg")
from matplotlib import pyplot as plt

RIGHT, WRONG = "#2a7f3f", "#c0392b"


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="a folder with a folder for each class")
    source.add_argument("--generated", action="store_true", help="three kinds of patterns")
    parser.add_argument("--model", default="resnet20", help="a classifier of tallowvision")
    parser.add_argument("--weights", default="DEFAULT", help="published ones, or a file")
    parser.add_argument("--epochs", type=int, default=3, help="in which the whole network learns")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3, help="the highest rate of the network")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/finetune"))
    return parser.parse_args(arguments)


def network(name, weights):
    """The network with its weights, and what makes a picture its input."""
    published = models.get_model_weights(name)
    prepare = (published if len(published) else models.ResNet18_Weights).DEFAULT.transforms()
    if not Path(weights).is_file():
        return models.get_model(name, weights=weights), prepare
    state = tallow.load(weights)
    last = list(models.get_model(name).state_dict())[-1]  # a bias: it is as long as the classes
    model = models.get_model(name, num_classes=len(state[last]))
    model.load_state_dict(state)
    return model, prepare


def split_head(model):
    """The name of the last linear layer, and the layer: what tells the old classes apart."""
    name, head = [pair for pair in model.named_modules() if isinstance(pair[1], nn.Linear)][-1]
    return name, head


def replace(model, name, layer):
    """Put a layer in the place of the one with a dotted name."""
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, layer)


def fit(model, loader, epochs, lr, device, title):
    """Train with a progress bar; returns the losses of all steps."""
    optimizer = AdamW([p for p in model.parameters() if p.requires_grad], lr, weight_decay=1e-2)
    scheduler = OneCycleLR(optimizer, max_lr=lr, total_steps=max(1, epochs * len(loader)))
    losses = []
    progress = tqdm(range(epochs), desc=title, unit="epoch")
    for _ in progress:
        model.train()
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        progress.set_postfix(loss=f"{losses[-1]:.3f}")
    return losses


@tallow.inference_mode()
def outputs(model, loader, device):
    """What the model gives for all pictures of a loader, and their labels, on the CPU."""
    model.eval()
    found = [
        (model(images.to(device)).cpu(), labels)
        for images, labels in tqdm(loader, leave=False, unit="batch")
    ]
    return tallow.cat([out for out, _ in found]), tallow.cat([labels for _, labels in found])


def accuracy(scores, labels):
    return (scores.argmax(1) == labels).float().mean().item()


def draw_curves(stages, path):
    """The loss of each step, a curve for each stage."""
    figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
    start = 0
    for title, losses in stages.items():
        axis.plot(range(start, start + len(losses)), losses, label=title)
        start += len(losses)
    axis.set(xlabel="step", ylabel="loss")
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_predictions(pictures, scores, labels, classes, path, rows=3, columns=6):
    """Some of the pictures, mistakes first, and what they are taken for."""
    said = scores.argmax(1)
    order = (said == labels).long().argsort(stable=True).tolist()
    figure, axes = plt.subplots(rows, columns, figsize=(columns * 1.5, rows * 1.75))
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, order, strict=False):
        axis.imshow(pictures[i][0])
        right = said[i] == labels[i]
        title = classes[said[i]] if right else f"{classes[said[i]]}, not {classes[labels[i]]}"
        axis.set_title(title, fontsize=8, color=RIGHT if right else WRONG)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments=None):
    options = parse_arguments(arguments)
    tallow.manual_seed(options.seed)
    folder = patterns.write(options.out / "pictures") if options.generated else options.data
    plain = ImageFolder(folder)
    model, prepare = network(options.model, options.weights)
    order = tallow.randperm(len(plain)).tolist()
    held_out, kept = order[: len(order) // 5], order[len(order) // 5 :]
    varied = transforms.Compose([transforms.RandomHorizontalFlip(), prepare])

    def loader(chosen, transform, shuffle=False):
        pictures = Subset(ImageFolder(folder, transform), chosen)
        return DataLoader(pictures, options.batch_size, shuffle=shuffle)

    name, head = split_head(model)
    replace(model, name, nn.Identity())
    model.to(options.device)
    print(f"{len(kept)} pictures of {len(plain.classes)} classes, {len(held_out)} held out")
    features = TensorDataset(*outputs(model, loader(kept, prepare), options.device))
    head = nn.Linear(head.in_features, len(plain.classes)).to(options.device)
    seen = DataLoader(features, options.batch_size, shuffle=True)
    stages = {"last layer": fit(head, seen, 30, 1e-2, options.device, "last layer")}
    replace(model, name, head)
    test = loader(held_out, prepare)
    scores, labels = outputs(model, test, options.device)
    print(f"accuracy with the last layer trained: {accuracy(scores, labels):.2%}")

    learn = loader(kept, varied, shuffle=True)
    stages["whole network"] = fit(
        model, learn, options.epochs, options.lr, options.device, "whole network"
    )
    scores, labels = outputs(model, test, options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    tallow.save(model.state_dict(), options.out / "model.safetensors")
    (options.out / "classes.txt").write_text("\n".join(plain.classes))
    draw_curves(stages, options.out / "curves.png")
    pictures = [plain[i] for i in held_out]
    draw_predictions(pictures, scores, labels, plain.classes, options.out / "predictions.png")
    print(f"accuracy with the whole network trained: {accuracy(scores, labels):.2%}")
    print(f"pictures: {options.out / 'curves.png'}, {options.out / 'predictions.png'}")


if __name__ == "__main__":
    main()
