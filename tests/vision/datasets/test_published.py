"""Datasets of published files, from archives as their publishers lay them out, on loopback."""

import bz2
import gzip
import importlib.util
import io
import json
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import tallow
from tallow.testing.datasets import archive
from tallow.utils.datasets import DataFileError, MissingFilesError
from tallowvision import datasets, transforms, tv_tensors
from tallowvision.datasets.coco import mask_of
from tallowvision.datasets.utils import MissingPackageError

_spec = importlib.util.spec_from_file_location("dataset_kit", Path(__file__).with_name("kit.py"))
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)
RNG, grey, picture = kit.RNG, kit.grey, kit.picture


def mat(**content):
    """The bytes of a MATLAB file."""
    made = io.BytesIO()
    pytest.importorskip("scipy.io").savemat(made, content)
    return made.getvalue()


def table(**columns):
    """A MATLAB array of structures."""
    count = len(next(iter(columns.values())))
    kinds = [(name, object) for name in columns]
    return np.array([tuple(c[i] for c in columns.values()) for i in range(count)], kinds)


_FLOWERS = {
    "102flowers.tgz": {f"jpg/image_0000{i}.jpg": picture() for i in (1, 2, 3)},
    "imagelabels.mat": lambda: mat(labels=[[3, 1, 102]]),
    "setid.mat": lambda: mat(trnid=[[3, 1]], valid=[[2]], tstid=[[1, 2]]),
}
_FOOD = {"food-101.tar.gz": {
    **{f"food-101/images/{name}.jpg": picture() for name in ("pie/1", "pie/2", "cake/3")},
    "food-101/meta/train.json": b'{"pie": ["pie/1", "pie/2"], "cake": ["cake/3"]}',
    "food-101/meta/test.json": json.dumps({"pie": ["pie/2"], "cake": []}).encode(),
}}  # fmt: skip
_DTD = {"dtd-r1.0.1.tar.gz": {
    "dtd/images/dotted/a.jpg": picture(), "dtd/images/banded/b.jpg": picture(),
    "dtd/labels/train1.txt": b"dotted/a.jpg\nbanded/b.jpg\n",
    "dtd/labels/val2.txt": b"banded/b.jpg\n",
}}  # fmt: skip
_SIGNS = {
    "GTSRB-Training_fixed.zip": {
        f"GTSRB/Training/{c}/0.ppm": picture("ppm") for c in ("00000", "00001")
    },
    "GTSRB_Final_Test_Images.zip": {"GTSRB/Final_Test/Images/0.ppm": picture("ppm")},
    "GTSRB_Final_Test_GT.zip": {"GT-final_test.csv": b"Filename;Width;ClassId\n0.ppm;8;17\n"},
}
_AIRCRAFT = {"fgvc-aircraft-2013b.tar.gz": {
    "fgvc-aircraft-2013b/data/images/007.jpg": picture(),
    "fgvc-aircraft-2013b/data/families.txt": b"A380\nBoeing 737\n",
    "fgvc-aircraft-2013b/data/images_family_test.txt": b"007 Boeing 737\n",
}}  # fmt: skip
_PETS = {
    "images.tar.gz": {f"images/{n}.jpg": picture() for n in ("Abyssinian_1", "shiba_inu_7")},
    "annotations.tar.gz": {
        "annotations/trainval.txt": b"Abyssinian_1 1 1 1\nshiba_inu_7 2 2 9\n",
        "annotations/test.txt": b"shiba_inu_7 2 2\n",
        **{f"annotations/trimaps/{n}.png": grey() for n in ("Abyssinian_1", "shiba_inu_7")},
    },
}  # fmt: skip
_THINGS = {"caltech-101.zip": {
    "caltech-101/101_ObjectCategories.tar.gz": archive("x.tgz", {
        f"101_ObjectCategories/{name}/image_000{i}.jpg": picture()
        for name, i in (("Faces", 1), ("ant", 1), ("ant", 2), ("BACKGROUND_Google", 1))
    }),
    "caltech-101/Annotations.tar": lambda: archive("x.tar", {
        "Annotations/Faces_2/annotation_0001.mat": mat(obj_contour=[[1.0, 2, 3], [4, 5, 6]]),
    }),
}}  # fmt: skip
_CELEBA = {
    "img_align_celeba.zip": {f"img_align_celeba/{i}.jpg": picture() for i in (1, 2, 3)},
    "list_eval_partition.txt": b"1.jpg 0\n2.jpg 2\n3.jpg 0\n",
    "list_attr_celeba.txt": b"3\nBald Smiling\n1.jpg -1  1\n2.jpg  1 -1\n3.jpg 1 1\n",
    "identity_CelebA.txt": b"1.jpg 28\n2.jpg 12\n3.jpg 5\n",
    "list_bbox_celeba.txt": b"3\nimage_id x_1 y_1 width height\n1.jpg 1 2 3 4\n2.jpg 0 0 1 1\n"
    b"3.jpg 5 6 2 3\n",
    "list_landmarks_align_celeba.txt": b"3\nlefteye_x lefteye_y\n1.jpg 1 2\n2.jpg 3 4\n3.jpg 5 6\n",
}
_PLACES = {
    "filelist_places365-standard.tar": {
        "categories_places365.txt": b"/a/airfield 0\n/b/bar 1\n",
        "places365_train_standard.txt": b"/b/bar/1.jpg 1\n", "places365_val.txt": b"2.jpg 0\n",
        "places365_test.txt": b"3.jpg\n",
    },
    "train_256_places365standard.tar": {"data_256/b/bar/1.jpg": picture()},
    "val_large.tar": {"val_large/2.jpg": picture()},
    "test_256.tar": {"test_256/3.jpg": picture()},
}  # fmt: skip
_DIGITS = RNG.integers(0, 256, (20, 3, 4, 5), np.uint8)


def npy(array):
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def usps_row(label, level):
    return f"{label} " + " ".join(f"{i}:{level}" for i in range(1, 257))


_STL = RNG.integers(0, 256, (5, 3, 96, 96), np.uint8)
_STL10 = {"stl10_binary.tar.gz": {
    "stl10_binary/train_X.bin": _STL[:3].tobytes(), "stl10_binary/train_y.bin": bytes([1, 10, 2]),
    "stl10_binary/test_X.bin": _STL[3:4].tobytes(), "stl10_binary/test_y.bin": bytes([5]),
    "stl10_binary/unlabeled_X.bin": _STL[4:].tobytes(),
    "stl10_binary/class_names.txt": b"airplane\nbird\n",
    "stl10_binary/fold_indices.txt": b"0 1\n2 0\n",
}}  # fmt: skip

# A dataset, its arguments, what is published, and the targets of all samples.
CASES = [
    ("Flowers102", {}, _FLOWERS, [101, 2]), ("Flowers102", {"split": "val"}, _FLOWERS, [0]),
    ("Food101", {}, _FOOD, [1, 1, 0]), ("Food101", {"split": "test"}, _FOOD, [1]),
    ("DTD", {}, _DTD, [1, 0]), ("DTD", {"split": "val", "partition": 2}, _DTD, [0]),
    ("GTSRB", {}, _SIGNS, [0, 1]), ("GTSRB", {"split": "test"}, _SIGNS, [17]),
    ("FGVCAircraft", {"split": "test", "annotation_level": "family"}, _AIRCRAFT, [1]),
    ("Country211", {}, {"country211.tgz": {
        f"country211/train/{c}/1.jpg": picture() for c in ("AD", "ZW")}}, [0, 1]),
    ("RenderedSST2", {"split": "val"}, {"rendered-sst2.tgz": {
        **{f"rendered-sst2/valid/{c}/1.png": picture("png") for c in ("positive", "negative")},
        "rendered-sst2/train/positive/1.png": picture("png")}}, [0, 1]),
    ("Imagenette", {"size": "160px", "split": "val"}, {"imagenette2-160.tgz": {
        f"imagenette2-160/val/{w}/a.JPEG": picture() for w in ("n01440764", "n03888257")}}, [0, 1]),
    ("SUN397", {}, {"SUN397.tar.gz": {
        "SUN397/ClassName.txt": b"/a/abbey\n/b/bar/indoor\n",
        **{f"SUN397/{n}.jpg": picture() for n in ("a/abbey/sun_1", "b/bar/indoor/sun_2")},
    }}, [0, 1]),
    ("EuroSAT", {}, {"EuroSAT.zip": {
        f"2750/{c}/{c}_1.jpg": picture() for c in ("Forest", "River")}}, [0, 1]),
    ("Omniglot", {"background": False}, {"images_evaluation.zip": {
        f"images_evaluation/Oriya/character0{i}.png": grey() for i in ("1/5", "1/6", "2/7")
    }}, [0, 0, 1]),
    ("Caltech101", {}, _THINGS, [0, 1, 1]),
    ("Caltech256", {}, {"256_ObjectCategories.tar": {
        f"256_ObjectCategories/00{c}.x/00{c}_000{i}.jpg": picture() for c, i in ((1, 1), (2, 1))
    }}, [0, 1]),
    ("OxfordIIITPet", {}, _PETS, [0, 1]),
    ("OxfordIIITPet", {"target_types": ["category", "binary-category"]}, _PETS, [(0, 0), (1, 1)]),
    ("Places365", {"small": True}, _PLACES, [1]), ("Places365", {"split": "val"}, _PLACES, [0]),
    ("Places365", {"split": "test", "small": True}, _PLACES, [None]),
    ("CelebA", {"target_type": "identity"}, _CELEBA, [28, 5]),
    ("CelebA", {"split": "all", "target_type": []}, _CELEBA, [None] * 3),
    ("USPS", {}, {"usps.bz2": bz2.compress(
        f"{usps_row(7, -1.0)}\n{usps_row(10, 1.0)}\n".encode())}, [6, 9]),
    ("SEMEION", {}, {"semeion.data": (
        "1.0 " * 256 + "0 0 1 0 0 0 0 0 0 0\n" + "0.0 " * 256 + "1 0 0 0 0 0 0 0 0 0\n"
    ).encode()}, [2, 0]),
    ("STL10", {}, _STL10, [0, 9, 1]), ("STL10", {"folds": 1}, _STL10, [1, 0]),
    ("STL10", {"split": "train+unlabeled"}, _STL10, [0, 9, 1, -1]),
    ("STL10", {"split": "test"}, _STL10, [4]),
]  # fmt: skip


def made(content):
    """What is published, with the files made that need a package."""
    if callable(content):
        return content()
    return {k: made(v) for k, v in content.items()} if isinstance(content, dict) else content


@pytest.mark.parametrize("number", range(len(CASES)))
def test_published(tmp_path, publish, number):
    name, arguments, archives, targets = CASES[number]
    cls = getattr(datasets, name)
    publish(made(archives))
    root = str(tmp_path / "root")
    with pytest.raises(FileNotFoundError, match=f"{name}: expected .*root.* download=True"):
        cls(root, **arguments, **({"download": False} if name == "SEMEION" else {}))
    seen = []
    data = cls(root, **arguments, download=True, target_transform=lambda x: seen.append(x) or x)
    samples = [data[i] for i in range(len(data))]
    assert len(data) == len(targets) and [target for _, target in samples] == targets == seen
    assert all(isinstance(image, PIL.Image.Image) for image, _ in samples)
    again = pickle.loads(pickle.dumps(cls(root, **arguments, transform=transforms.ToTensor())))
    assert again[0][0].ndim == 3 and again[0][1] == targets[0]
    assert f"Dataset {name}" in repr(data) and f"datapoints: {len(targets)}" in repr(data)


def test_faces(tmp_path, publish):
    publish(_CELEBA)
    kinds = ["attr", "bbox", "landmarks", "identity"]
    data = datasets.CelebA(tmp_path, "test", kinds, download=True)
    assert [one.tolist() for one in data[0][1]] == [[1, 0], [0, 0, 1, 1], [3, 4], 12]
    assert data.attr_names == ["Bald", "Smiling"] and data.filename == ["2.jpg"]
    wrapped = datasets.wrap_dataset_for_transforms_v2(datasets.CelebA(tmp_path, target_type="bbox"))
    assert wrapped[1][1].tolist() == [[5, 6, 7, 9]]
    with pytest.raises(NotImplementedError, match="attributes and landmarks of CelebA"):
        datasets.wrap_dataset_for_transforms_v2(data)[0]
    (tmp_path / "celeba" / "identity_CelebA.txt").write_text("1.jpg x\n")
    with pytest.raises(DataFileError, match="identity_CelebA.txt, line 1: got '1.jpg x'"):
        datasets.CelebA(tmp_path)


def test_outlines_of_things(tmp_path, publish):
    publish(made(_THINGS))
    data = datasets.Caltech101(tmp_path, ["category", "annotation"], download=True)
    number, outline = data[0][1]
    assert number == 0 and outline.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert data.categories == ["Faces", "ant"]


def test_pets_with_masks(tmp_path, publish):
    publish(_PETS)
    data = datasets.OxfordIIITPet(tmp_path, target_types="segmentation", download=True)
    assert data.classes == ["Abyssinian", "Shiba Inu"] and data[0][1].mode == "L"
    wrapped = datasets.wrap_dataset_for_transforms_v2(data)
    assert isinstance(wrapped[1][1], tv_tensors.Mask) and wrapped[1][1].shape == (1, 6, 8)


def test_moving_digits(tmp_path, publish):
    publish({"mnist_test_seq.npy": npy(_DIGITS)})
    data = datasets.MovingMNIST(tmp_path, "test", 15, download=True)
    assert len(data) == 3 and data[1].tolist() == _DIGITS[15:, 1][:, None].tolist()
    with pytest.raises(ValueError, match="split_ratio: expected an integer from 1 to 19, got 20"):
        datasets.MovingMNIST(tmp_path, split_ratio=20)
    (tmp_path / "MovingMNIST" / "mnist_test_seq.npy").write_bytes(b"no array")
    with pytest.raises(DataFileError, match="mnist_test_seq.npy: expected an array"):
        datasets.MovingMNIST(tmp_path)


def test_tissue(tmp_path, publish, monkeypatch):
    content = {"x": RNG.integers(0, 256, (2, 5, 5, 3), np.uint8), "y": np.ones((2, 1, 1, 1))}

    class Opened(dict):
        def __init__(self, path):
            super().__init__(content)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            """Nothing to close."""

    names = [f"camelyonpatch_level_2_split_valid_{kind}.h5.gz" for kind in "xy"]
    publish({name: gzip.compress(b"HDF") for name in names})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingPackageError, match="needs the package h5py"):
        datasets.PCAM(tmp_path, "val", download=True)
    monkeypatch.setitem(sys.modules, "h5py", types.SimpleNamespace(File=Opened))
    image, target = datasets.PCAM(tmp_path, "val")[1]
    assert target == 1 and np.array_equal(np.asarray(image), content["x"][1])


def test_captions(tmp_path, publish):
    publish({
        "SBUCaptionedPhotoDataset.tar.gz": {
            "dataset/SBU_captioned_photo_dataset_urls.txt": b"http://x/a.jpg\nhttp://x/gone.jpg\n",
            "dataset/SBU_captioned_photo_dataset_captions.txt": b"a boat \nnothing\n",
        },
        "a.jpg": picture(),
    })  # fmt: skip
    data = datasets.SBU(tmp_path)
    assert [caption for _, caption in data.samples] == ["a boat"] and data[0][0].size == (8, 6)
    (tmp_path / "12_ab.jpg").write_bytes(picture())
    (tmp_path / "lines.txt").write_text("12_ab.jpg#0\tA dog .\n12_ab.jpg#1\tIt runs .\n")
    assert datasets.Flickr30k(tmp_path, tmp_path / "lines.txt")[0][1] == ["A dog .", "It runs ."]
    page = (
        "<table><tr><td><a href='x'>http://f/p/12/</a></td><ul><li>A dog .</li><li>It runs .</li>"
        "</ul><td>Image Not Found</td><ul><li>A cat .</li></ul></tr></table>"
    )
    (tmp_path / "page.html").write_text(page)
    assert datasets.Flickr8k(tmp_path, tmp_path / "page.html")[0][1] == ["A dog .", "It runs ."]
    (tmp_path / "lines.txt").write_text("no tab\n")
    with pytest.raises(DataFileError, match="lines.txt, line 1: got 'no tab'"):
        datasets.Flickr30k(tmp_path, tmp_path / "lines.txt")


def test_cars(tmp_path):
    root = tmp_path / "stanford_cars"
    (root / "devkit").mkdir(parents=True)
    (root / "cars_train").mkdir()
    (root / "cars_train" / "1.jpg").write_bytes(picture())
    rows = table(fname=["1.jpg", "1.jpg"], **{"class": [2, 1]})
    (root / "devkit" / "cars_train_annos.mat").write_bytes(mat(annotations=rows))
    names = np.array(["Acura", "Audi"], object)
    (root / "devkit" / "cars_meta.mat").write_bytes(mat(class_names=names))
    data = datasets.StanfordCars(tmp_path)
    assert [data[i][1] for i in (0, 1)] == [1, 0] and data.classes == ["Acura", "Audi"]
    with pytest.raises(MissingFilesError, match="no address to download from"):
        datasets.StanfordCars(tmp_path, download=True)


_XML = b"""<annotation><filename>1.jpg</filename><size><width>8</width></size>
<object><name>dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>
<part><name>head</name></part><part><name>foot</name></part></object></annotation>"""
_VOC = {
    "VOCdevkit/VOC2007/JPEGImages/1.jpg": picture(),
    "VOCdevkit/VOC2007/Annotations/1.xml": _XML,
    "VOCdevkit/VOC2007/SegmentationClass/1.png": grey(),
    "VOCdevkit/VOC2007/ImageSets/Main/test.txt": b"1\n",
    "VOCdevkit/VOC2007/ImageSets/Segmentation/test.txt": b"1\n",
}


def test_voc(tmp_path, publish):
    publish({"VOCtest_06-Nov-2007.tar": _VOC})
    with pytest.raises(MissingFilesError, match=r"VOCDetection: expected .*Main.test\.txt"):
        datasets.VOCDetection(tmp_path, "2007", "test")
    data = datasets.VOCDetection(tmp_path, "2007", "test", download=True)
    image, target = data[0]
    (thing,) = target["annotation"]["object"]
    assert target["annotation"]["size"] == {"width": "8"} and thing["bndbox"]["ymax"] == "6"
    assert thing["part"] == [{"name": "head"}, {"name": "foot"}]
    wrapped = datasets.wrap_dataset_for_transforms_v2(data, ["boxes", "labels", "annotation"])
    target = wrapped[0][1]
    assert target["boxes"].tolist() == [[1, 2, 5, 6]] and target["labels"].tolist() == [12]
    assert target["annotation"]["filename"] == "1.jpg" and len(data[0][1]["annotation"]) == 3
    masks = datasets.VOCSegmentation(tmp_path, "2007", "test")
    assert masks[0][1].size == (8, 6) and masks.masks[0].endswith("1.png")
    both = datasets.wrap_dataset_for_transforms_v2(datasets.VOCSegmentation(
        tmp_path, "2007", "test", transforms=transforms.Pad(1)))[0]  # fmt: skip
    assert both[0].size == (10, 8) and both[1].shape == (1, 8, 10)
    with pytest.raises(ValueError, match="image_set: expected one of train, trainval, val, got"):
        datasets.VOCDetection(tmp_path, "2012", "test")
    path = tmp_path / "VOCdevkit" / "VOC2007" / "Annotations" / "1.xml"
    path.write_bytes(b"<annotation>")
    with pytest.raises(DataFileError, match="1.xml: expected an XML file"):
        data[0]


def test_outlines_of_voc(tmp_path, publish):
    sparse = pytest.importorskip("scipy.sparse")
    edges = np.empty((20, 1), object)
    for i in range(20):
        edges[i, 0] = sparse.csc_matrix(np.eye(4) * (i == 3))
    shown = np.arange(16, dtype=np.uint8).reshape(4, 4)
    outlines = {"Segmentation": shown, "Boundaries": edges}
    publish({
        "benchmark.tgz": {
            "benchmark_RELEASE/dataset/img/a.jpg": picture(),
            "benchmark_RELEASE/dataset/cls/a.mat": mat(GTcls=outlines),
            "benchmark_RELEASE/dataset/train.txt": b"a\n",
        },
        "train_noval.txt": b"a\n",
    })  # fmt: skip
    data = datasets.SBDataset(str(tmp_path), "train_noval", download=True)
    assert (
        data[0][1].shape == (20, 4, 4)
        and data[0][1].sum((1, 2)).tolist() == [0] * 3 + [4] + [0] * 16
    )
    data = datasets.SBDataset(str(tmp_path), mode="segmentation")
    assert np.array_equal(np.asarray(data[0][1]), shown)
    assert datasets.wrap_dataset_for_transforms_v2(data)[0][1].shape == (1, 4, 4)


RUNS = {"size": [3, 4], "counts": [2, 4, 1, 5]}
_COCO = {
    "images": [{"id": 9, "file_name": "b.jpg"}, {"id": 4, "file_name": "a.jpg"}],
    "annotations": [
        {"id": 1, "image_id": 9, "bbox": [1, 2, 3, 4], "category_id": 18, "segmentation": RUNS,
         "caption": "A dog."},
        {"id": 2, "image_id": 9, "bbox": [0, 0, 2, 2], "category_id": 3, "segmentation": RUNS,
         "caption": "It runs."},
    ],
    "categories": [{"id": 18, "name": "dog"}],
}  # fmt: skip


def test_coco(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.jpg").write_bytes(picture())
    (tmp_path / "a.json").write_text(json.dumps(_COCO))
    data = datasets.CocoDetection(tmp_path, tmp_path / "a.json")
    assert data.ids == [4, 9] and data[0][1] == [] and [a["id"] for a in data[1][1]] == [1, 2]
    wrapped = datasets.wrap_dataset_for_transforms_v2(data)
    assert wrapped[0][1] == {"image_id": 4}
    target = wrapped[1][1]
    assert target["boxes"].tolist() == [[1, 2, 4, 6], [0, 0, 2, 2]]
    assert target["labels"].tolist() == [18, 3] and sorted(target) == [
        "boxes",
        "image_id",
        "labels",
    ]
    whole = datasets.wrap_dataset_for_transforms_v2(data, "all")[1][1]
    assert whole["masks"].shape == (2, 3, 4) and whole["bbox"] == [[1, 2, 3, 4], [0, 0, 2, 2]]
    captions = datasets.CocoCaptions(tmp_path, tmp_path / "a.json", target_transform=len)
    assert captions[1][1] == 2
    with pytest.raises(ValueError, match=r"target_keys of .* got \['colour'\]"):
        datasets.wrap_dataset_for_transforms_v2(data, ["colour"])
    with pytest.raises(ValueError, match="an int as index, got slice"):
        data[:2]
    (tmp_path / "a.json").write_text('{"images": [{"no": 1}]}')
    with pytest.raises(DataFileError, match="a.json: expected annotations of COCO .*KeyError 'id'"):
        datasets.CocoDetection(tmp_path, tmp_path / "a.json")


def test_masks_of_coco(monkeypatch):
    expected = np.array([[0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]]).reshape(4, 3).T
    assert np.array_equal(mask_of(RUNS, (3, 4)), expected)
    # characters for 2, 4, 1 and, as a difference from the second, 5
    assert np.array_equal(mask_of({"size": [3, 4], "counts": "2411"}, (3, 4)), expected)
    long = {"size": [10, 10], "counts": [0, 100]}
    assert mask_of(long, (10, 10)).all() and mask_of({**long, "counts": "0T3"}, (10, 10)).all()
    with pytest.raises(DataFileError, match="expected runs of 12 pixels, got 3"):
        mask_of({"size": [3, 4], "counts": [1, 2]}, (3, 4))
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(MissingPackageError, match="mask of polygons needs the package pycocotools"):
        mask_of([[0, 0, 2, 0, 2, 2]], (3, 4))


def test_imagenet(tmp_path):
    devkit = "ILSVRC2012_devkit_t12/data/"
    synsets = table(
        ILSVRC2012_ID=[1, 2, 3], WNID=["n01", "n02", "n03"], words=["cat, puss", "dog", "animal"],
        num_children=[0, 0, 2],
    )  # fmt: skip
    files = {
        "ILSVRC2012_devkit_t12.tar.gz": {
            devkit + "meta.mat": mat(synsets=synsets),
            devkit + "ILSVRC2012_validation_ground_truth.txt": b"2\n1\n2\n",
        },
        "ILSVRC2012_img_val.tar": {f"val_{i}.JPEG": picture() for i in (1, 2, 3)},
        "ILSVRC2012_img_train.tar": {
            f"{w}.tar": archive("x.tar", {f"{w}_1.JPEG": picture()}) for w in ("n01", "n02")
        },
    }
    with pytest.raises(MissingFilesError, match="devkit_t12.tar.gz; its publisher"):
        datasets.ImageNet(tmp_path)
    for name, content in files.items():
        (tmp_path / name).write_bytes(archive(name, content))
    data = datasets.ImageNet(tmp_path, "val")
    assert data.targets == [0, 1, 1] and data.wnids == ["n01", "n02"]
    assert data.classes == [("cat", "puss"), ("dog",)] and data.class_to_idx["puss"] == 0
    assert data[2][0].size == (8, 6) and "Split: val" in repr(data)
    train = datasets.ImageNet(str(tmp_path))
    assert train.targets == [0, 1] and train.split_folder.endswith("train")
    assert not list(tmp_path.glob(".unpack*"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: datasets.DTD("x", partition=11), ValueError, "from 1 to 10, got 11"),
        (lambda: datasets.Food101("x", "val"), ValueError, "split: expected one of train, test"),
        (lambda: datasets.STL10("x", folds=10), ValueError, "folds: expected an integer"),
        (lambda: datasets.CelebA("x", target_type="age"), ValueError, "got 'age'"),
        (lambda: datasets.wrap_dataset_for_transforms_v2([1]), TypeError, "got list"),
        (lambda: datasets.wrap_dataset_for_transforms_v2(datasets.FakeData(), ["boxes"]),
         ValueError, "for CocoDetection, .*WIDERFace only, got them for FakeData"),
    ],
)  # fmt: skip
def test_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_wrapped_samples_of_classes_stay_and_travel():
    data = datasets.FakeData(3, (3, 4, 5), transform=transforms.ToTensor())
    wrapped = pickle.loads(pickle.dumps(datasets.wrap_dataset_for_transforms_v2(data)))
    assert tallow.equal(wrapped[1][0], data[1][0]) and wrapped[1][1] == data[1][1]
    assert len(wrapped) == wrapped.size == 3
