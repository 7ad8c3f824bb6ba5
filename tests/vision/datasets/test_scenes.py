"""Datasets of streets, faces, species, patches and clips, from archives as they are published."""

import importlib.util
import io
import pickle
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import tallow
from tallow.testing.datasets import archive
from tallow.utils.data import DataLoader
from tallow.utils.datasets import DataFileError, MissingFilesError
from tallowvision import datasets, transforms, tv_tensors
from tallowvision.datasets.samplers import RandomClipSampler, UniformClipSampler
from tallowvision.datasets.utils import MissingPackageError
from tallowvision.datasets.video_utils import VideoClips

_spec = importlib.util.spec_from_file_location("dataset_kit", Path(__file__).with_name("kit.py"))
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)
picture, grey = kit.picture, kit.grey


def put(root, files):
    """Files {path: content} below a folder."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def numbered(levels):
    """A PNG file of whole numbers below 65,536, as bytes."""
    made = io.BytesIO()
    PIL.Image.fromarray(np.array(levels, np.uint16)).save(made, "png")
    return made.getvalue()


def test_cityscapes(tmp_path):
    stem = "gtFine/val/bonn/bonn_000_000_gtFine"
    put(tmp_path, {
        "leftImg8bit_trainvaltest.zip": archive("x.zip", {
            "leftImg8bit/val/bonn/bonn_000_000_leftImg8bit.png": picture("png", (2, 3, 3))}),
        "gtFine_trainvaltest.zip": archive("x.zip", {
            f"{stem}_instanceIds.png": numbered([[7, 26001, 26001], [7, 26002, 11]]),
            f"{stem}_labelIds.png": grey(size=(2, 3)), f"{stem}_color.png": picture("png"),
            f"{stem}_polygons.json": b'{"imgWidth": 3}'}),
    })  # fmt: skip
    kinds = ["semantic", "polygon", "color"]
    data = datasets.Cityscapes(tmp_path, "val", target_type=kinds)
    image, (semantic, polygon, colour) = data[0]
    assert image.size == (3, 2) and semantic.mode == "L" and colour.mode == "RGB"
    assert polygon == {"imgWidth": 3} and len(data) == 1 and "Mode: gtFine" in repr(data)
    car = data.classes[27]
    assert (car.name, car.id, car.train_id, car.category, car.color) == (
        "truck", 27, 14, "vehicle", (0, 0, 70))  # fmt: skip
    assert len(data.classes) == 35 and sum(not c.ignore_in_eval for c in data.classes) == 19
    with pytest.raises(NotImplementedError, match="polygons and colours of Cityscapes"):
        datasets.wrap_dataset_for_transforms_v2(data)[0]
    wrapped = datasets.wrap_dataset_for_transforms_v2(datasets.Cityscapes(str(tmp_path), "val"))
    target = wrapped[0][1]
    assert target["labels"].tolist() == [7, 11, 26, 26] and target["masks"].shape == (4, 2, 3)
    assert target["masks"][2].tolist() == [[False, True, True], [False, False, False]]
    with pytest.raises(MissingFilesError, match="gtCoarse.train_extra"):
        datasets.Cityscapes(tmp_path, "train_extra", "coarse")
    with pytest.raises(ValueError, match="split: expected one of train, test, val, got 'all'"):
        datasets.Cityscapes(tmp_path, "all")


_CAR = "Car 0.5 2 -1.5 1 2 5 6 1.5 1.6 4 0.1 0.2 0.3 1.25\n"


def test_kitti(tmp_path, publish):
    publish({
        "data_object_image_2.zip": {
            f"{p}/image_2/00000{i}.png": picture("png") for p in ("training", "testing")
            for i in (1, 0)},
        "data_object_label_2.zip": {
            "training/label_2/000000.txt": _CAR.encode(), "training/label_2/000001.txt": b""},
    })  # fmt: skip
    data = datasets.Kitti(tmp_path, download=True)
    (car,) = data[0][1]
    assert (
        car["bbox"] == [1, 2, 5, 6] and car["location"] == [0.1, 0.2, 0.3] and car["occluded"] == 2
    )
    assert data[1][1] == [] and len(data) == 2 and car["rotation_y"] == 1.25
    wrapped = datasets.wrap_dataset_for_transforms_v2(data)
    assert wrapped[0][1]["boxes"].tolist() == [[1, 2, 5, 6]] and wrapped[0][1][
        "labels"
    ].tolist() == [0]
    assert wrapped[1][1]["boxes"].shape == (0, 4)
    chosen = datasets.wrap_dataset_for_transforms_v2(data, ["alpha"])[0][1]
    assert chosen == {"alpha": [-1.5]}
    held_out = datasets.Kitti(str(tmp_path), train=False)
    assert held_out[1][1] is None
    assert datasets.wrap_dataset_for_transforms_v2(held_out)[0][1] is None
    put(tmp_path, {"Kitti/raw/training/label_2/000000.txt": b"Car 0.5\n"})
    with pytest.raises(DataFileError, match="000000.txt, line 1: got 'Car 0.5'"):
        data[0]


_FACES = {
    "people.txt": b"2\n1\nAda_L\t2\n1\nBob_M\t1\n", "peopleDevTrain.txt": b"1\nBob_M\t1\n",
    "lfw-names.txt": b"Ada_L\t2\nBob_M\t1\n",
    "pairs.txt": b"2\t1\nAda_L\t1\t2\nAda_L\t1\tBob_M\t1\nAda_L\t2\t1\nBob_M\t1\tAda_L\t2\n",
    "pairsDevTest.txt": b"1\nAda_L\t1\t2\nBob_M\t1\tAda_L\t2\n",
    "lfw-funneled.tgz": archive("x.tgz", {
        f"lfw_funneled/{n[:-5]}/{n}.jpg": picture()
        for n in ("Ada_L_0001", "Ada_L_0002", "Bob_M_0001")}),
}  # fmt: skip


def test_faces_of_people(tmp_path):
    put(tmp_path / "lfw-py", _FACES)
    data = datasets.LFWPeople(tmp_path, transform=transforms.ToTensor())
    assert [data[i][1] for i in range(3)] == [0, 0, 1] and data[2][0].shape == (3, 6, 8)
    assert data.class_to_idx == {"Ada_L": 0, "Bob_M": 1} and "identities): 2" in repr(data)
    assert datasets.LFWPeople(str(tmp_path), "train").targets == [1]
    pairs = datasets.LFWPairs(tmp_path, target_transform=lambda same: 10 * same)
    assert [pairs[i][2] for i in range(4)] == [10, 0, 10, 0]
    assert pairs.pair_names[3] == ("Bob_M", "Ada_L") and pairs[0][1].size == (8, 6)
    assert pairs.data[1][1].endswith("Bob_M_0001.jpg")
    assert datasets.LFWPairs(tmp_path, "test").targets == [1, 0]
    with pytest.raises(MissingFilesError, match="no address to download from any more"):
        datasets.LFWPairs(tmp_path, download=True)
    with pytest.raises(MissingFilesError, match="LFWPeople: expected .*lfw-deepfunneled"):
        datasets.LFWPeople(tmp_path, image_set="deepfunneled")
    (tmp_path / "lfw-py" / "pairs.txt").write_bytes(b"1\t1\nAda_L\n")
    with pytest.raises(DataFileError, match="pairs.txt: expected lists of pairs, got"):
        datasets.LFWPairs(tmp_path)


_CROWD = b"0--Parade/a.jpg\n2\n1 2 3 4 0 1 0 2 1 0 \n0 0 2 2 1 0 0 0 0 1 \n0--Parade/b.jpg\n0\n" + (
    b"0 " * 10 + b"\n"
)


def test_crowds(tmp_path, publish):
    publish({
        "WIDER_train.zip": {f"WIDER_train/images/0--Parade/{n}.jpg": picture() for n in "ab"},
        "WIDER_test.zip": {"WIDER_test/images/1--Fair/c.jpg": picture()},
        "wider_face_split.zip": {
            "wider_face_split/wider_face_train_bbx_gt.txt": _CROWD,
            "wider_face_split/wider_face_test_filelist.txt": b"1--Fair/c.jpg\n"},
    })  # fmt: skip
    data = datasets.WIDERFace(tmp_path, download=True)
    image, target = data[0]
    assert image.size == (8, 6) and target["bbox"].tolist() == [[1, 2, 3, 4], [0, 0, 2, 2]]
    assert target["occlusion"].tolist() == [2, 0] and target["invalid"].tolist() == [0, 1]
    assert data[1][1]["bbox"].shape == (1, 4) and len(data) == 2
    wrapped = datasets.wrap_dataset_for_transforms_v2(data)[0][1]
    assert wrapped["bbox"].tolist() == [[1, 2, 4, 6], [0, 0, 2, 2]]
    assert isinstance(wrapped["bbox"], tv_tensors.BoundingBoxes) and len(wrapped) == 7
    assert datasets.WIDERFace(tmp_path, "test", download=True)[0][1] is None
    lists = tmp_path / "widerface" / "wider_face_split" / "wider_face_train_bbx_gt.txt"
    lists.write_bytes(_CROWD[:40])
    with pytest.raises(DataFileError, match="bbx_gt.txt: expected boxes of image 1, got"):
        datasets.WIDERFace(tmp_path)


_SPECIES = [
    "00000_Animalia_Chordata_Aves_Passeriformes_Corvidae_Corvus_corax",
    "00001_Animalia_Chordata_Aves_Passeriformes_Paridae_Parus_major",
    "00002_Plantae_Bryophyta_Bryopsida_Bryales_Bryaceae_Bryum_argenteum",
]


def test_species(tmp_path, publish):
    publish({
        "2021_valid.tgz": {f"val/{name}/{i}.jpg": picture() for name in _SPECIES for i in "ab"},
        "2019.tgz": {f"train_val2019/{name}/c.jpg": picture() for name in ("Birds/1", "Fungi/0")},
    })  # fmt: skip
    kinds = ["full", "family", "kingdom"]
    data = datasets.INaturalist(tmp_path, "2021_valid", kinds, download=True)
    assert [data[i][1] for i in (0, 3, 5)] == [(0, 0, 0), (1, 1, 0), (2, 2, 1)]
    assert data.category_name("family", 1) == "Paridae" and len(data) == 6
    assert data.category_name("full", 2) == _SPECIES[2] and data.targets == [0, 0, 1, 1, 2, 2]
    old = datasets.INaturalist(tmp_path, "2019", "super", download=True)
    assert [old[i][1] for i in (0, 1)] == [0, 1] and old.category_name("super", 0) == "Fungi"
    assert old.all_categories[0].endswith("0") and old.index == [(0, "c.jpg"), (1, "c.jpg")]
    with pytest.raises(ValueError, match="target_type: expected one of full, super, got 'family'"):
        datasets.INaturalist(tmp_path, "2019", "family")
    put(tmp_path, {"2019/Birds/five/c.jpg": b"", "2021_valid/00003_Fungi/a.jpg": b""})
    with pytest.raises(DataFileError, match="a folder with a number as its name, got five"):
        datasets.INaturalist(tmp_path, "2019")
    with pytest.raises(DataFileError, match="expected 00003 and seven names with _ between"):
        datasets.INaturalist(tmp_path, "2021_valid")
    put(tmp_path, {f"2017/{name}/c.jpg": picture() for name in ("Aves/Corvus", "Aves/Parus")})
    assert datasets.INaturalist(tmp_path, "2017").targets == [0, 1]


def test_patches(tmp_path, publish):
    levels = kit.RNG.integers(0, 256, (128, 192), np.uint8)
    made = io.BytesIO()
    PIL.Image.fromarray(levels).save(made, "bmp")
    publish({"liberty.zip": {
        "patches0000.bmp": made.getvalue(), "info.txt": b"7 0\n7 0\n9 0\n9 0\n4 0\n4 0\n",
        "m50_100000_100000_0.txt": b"0 7 0 1 7 0 0\n2 9 0 5 4 0 0\n",
    }})  # fmt: skip
    data = datasets.PhotoTour(tmp_path, "liberty", download=True)
    assert len(data) == 6 and data.labels.tolist() == [7, 7, 9, 9, 4, 4]
    assert np.array_equal(data[4].numpy(), levels[64:, 64:128]) and data.mean == 0.4437
    pairs = datasets.PhotoTour(tmp_path, "liberty", train=False, transform=lambda x: x.float())
    assert [pairs[i][2].item() for i in (0, 1)] == [1, 0] and "Split: Test" in repr(pairs)
    assert np.array_equal(pairs[1][0].numpy(), levels[:64, 128:])
    (tmp_path / "liberty" / "info.txt").write_text("seven\n")
    with pytest.raises(DataFileError, match="info.txt, line 1: got 'seven'"):
        datasets.PhotoTour(tmp_path, "liberty")


def test_rooms(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    for name, keys in (("tower_val", b"ab"), ("bridge_val", b"c")):
        with lmdb.open(str(tmp_path / f"{name}_lmdb"), map_size=1 << 20) as env:
            with env.begin(write=True) as writing:
                for key in keys:
                    writing.put(bytes([key]), picture())
    data = datasets.LSUN(tmp_path, ["bridge_val", "tower_val"], transforms.ToTensor())
    assert [data[i][1] for i in range(len(data))] == [0, 1, 1] and data[2][0].shape == (3, 6, 8)
    again = pickle.loads(pickle.dumps(data))
    assert tallow.equal(again[1][0], data[1][0]) and "bridge_val" in repr(data)


def test_rooms_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    (tmp_path / "test_lmdb").mkdir()
    with pytest.raises(MissingPackageError, match=r"LSUN needs .* 'tallowvision\[datasets\]'"):
        datasets.LSUN(tmp_path, "test")
    with pytest.raises(MissingFilesError, match="LSUNClass: expected .*bedroom_train_lmdb"):
        datasets.LSUN(tmp_path)
    with pytest.raises(ValueError, match="classes: expected one of bedroom_train, .* got 'attic'"):
        datasets.LSUN(tmp_path, ["attic"])
    with pytest.raises(TypeError, match="classes as a name or a list, got int"):
        datasets.LSUN(tmp_path, 3)


# Clips: animated pictures called as videos, which Pillow reads.


def clip(length, level, path=None):
    """The bytes of a video of that many frames, 8 x 6, at 10 Hz; of levels that rise by 10."""
    frames = [PIL.Image.new("RGB", (8, 6), (level + 10 * i,) * 3) for i in range(length)]
    made = io.BytesIO()
    frames[0].save(made, "gif", save_all=True, append_images=frames[1:], duration=100)
    return made.getvalue()


@pytest.fixture
def films(tmp_path):
    """Two kinds of films: of 5, 3 and 4 frames."""
    folder = tmp_path / "films"
    put(folder, {"run/a.avi": clip(5, 0), "run/b.avi": clip(3, 100), "sit/c.avi": clip(4, 150)})
    return folder


def levels(video):
    return [frame.flatten()[0].item() for frame in video]


def test_clips(films):
    paths = sorted(str(path) for path in films.rglob("*.avi"))
    clips = VideoClips(paths, 3, 2)
    assert clips.num_clips() == len(clips) == 4 and clips.num_videos() == 3
    assert [clips.get_clip_location(i) for i in range(4)] == [(0, 0), (0, 1), (1, 0), (2, 0)]
    video, sound, info, number = clips.get_clip(1)
    assert levels(video) == [20, 30, 40] and video.shape == (3, 6, 8, 3) and number == 0
    assert info == {"video_fps": 10} and sound.shape == (1, 0)
    long = clips.subset([0, 2]).metadata
    slow = VideoClips(paths, 2, 2, 5, long, output_format="TCHW")
    assert levels(slow.get_clip(0)[0]) == [0, 20] and slow.get_clip(0)[2]["video_fps"] == 5
    assert slow.get_clip(1)[0].shape == (2, 3, 6, 8) and len(slow) == 2
    fast = VideoClips(paths, 4, 4, 20, long)
    assert levels(fast.get_clip(0)[0]) == [0, 0, 10, 10]
    with pytest.warns(UserWarning, match=r"b.avi: expected at least 4 frames for a clip, got 3"):
        assert len(VideoClips(paths, 4, 1, None, clips.metadata)) == 3
    with pytest.raises(IndexError, match="expected an index below 4, got 4"):
        clips.get_clip(4)
    with pytest.raises(ValueError, match="output_format THWC or TCHW, got 'CTHW'"):
        VideoClips(paths, output_format="CTHW")
    tallow.manual_seed(0)
    assert list(UniformClipSampler(clips, 2)) == [0, 1, 2, 2, 3, 3]
    some = RandomClipSampler(clips, 1)
    assert len(some) == len(list(some)) == 3 and {2, 3} < set(some)


def test_hmdb(films, tmp_path):
    put(tmp_path / "splits", {
        "run_test_split1.txt": b"a.avi 1 \nb.avi 2 \n", "sit_test_split1.txt": b"c.avi 1 \n"
    })  # fmt: skip
    data = datasets.HMDB51(films, tmp_path / "splits", 3, 3, num_workers=0)
    assert [data[i][2] for i in range(len(data))] == [0, 1] and levels(data[1][0]) == [
        150,
        160,
        170,
    ]
    held_out = datasets.HMDB51(
        films, tmp_path / "splits", 3, train=False, transform=len, num_workers=0,
        _precomputed_metadata=data.metadata,
    )  # fmt: skip
    assert held_out[0][0] == 3 and held_out[0][2] == 0 and "Split: Test" in repr(held_out)
    with pytest.raises(MissingFilesError, match="test_split2.txt in"):
        datasets.HMDB51(films, tmp_path / "splits", 3, fold=2)
    with pytest.raises(ValueError, match="HMDB51: fold: expected an integer from 1 to 3, got 4"):
        datasets.HMDB51(films, tmp_path / "splits", 3, fold=4)


def test_ucf(films, tmp_path):
    put(tmp_path / "lists", {
        "trainlist01.txt": b"run/a.avi 1\nrun/b.avi 1\n", "testlist01.txt": b"sit/c.avi\n"
    })  # fmt: skip
    data = datasets.UCF101(
        films, str(tmp_path / "lists"), 3, 3, num_workers=0, output_format="TCHW"
    )
    assert len(data) == 2 and data.classes == ["run", "sit"] and data[0][0].shape == (3, 3, 6, 8)
    wrapped = datasets.wrap_dataset_for_transforms_v2(data)
    assert isinstance(wrapped[0][0], tv_tensors.Video) and wrapped[0][2] == 0
    held_out = datasets.UCF101(films, tmp_path / "lists", 3, train=False, num_workers=0)
    assert [held_out[i][2] for i in (0, 1)] == [1, 1]
    with pytest.raises(ValueError, match=r'videos of output_format "TCHW", got "THWC" of UCF101'):
        datasets.wrap_dataset_for_transforms_v2(held_out)[0]


def test_kinetics(tmp_path, publish):
    publish({
        "k400_val_path.txt": b"http://x/part_0.tar.gz\nhttp://x/part_1.tar.gz\n",
        "part_0.tar.gz": {"abc_000001_000011.mp4": clip(4, 0)},
        "part_1.tar.gz": {"d_e_000002_000012.mp4": clip(2, 9)},
        "val.csv": b"label,youtube_id,time_start,time_end,split\nhigh kick,abc,1,11,validate\n"
        b"eating (cake),d_e,2,12,validate\ngone,xyz,0,10,validate\n",
    })  # fmt: skip
    with pytest.raises(MissingFilesError, match="Kinetics: expected .*val; download=True"):
        datasets.Kinetics(tmp_path, 2, split="val")
    data = datasets.Kinetics(tmp_path, 2, split="val", download=True, num_workers=0)
    assert data.classes == ["eating_cake", "high_kick"] and len(data) == 4
    assert data[3][0].shape == (2, 3, 6, 8) and [data[i][2] for i in range(4)] == [0, 1, 1, 1]
    frames, _, kinds = next(iter(DataLoader(data, 4)))
    assert frames.shape == (4, 2, 3, 6, 8) and kinds.tolist() == [0, 1, 1, 1]
    assert datasets.Kinetics(str(tmp_path), 2, split="val", download=True, num_workers=0)[0][2] == 0
