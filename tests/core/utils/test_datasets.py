"""Records of published files, what a dataset that is not there says, and the kit for tests."""

import io
import tarfile
import threading
import zipfile

import pytest

from tallow.testing.datasets import archive, publishing, serving
from tallow.utils.datasets import (
    Archive,
    DataFileError,
    DownloadError,
    File,
    MissingFilesError,
    digest_of,
    get_missing,
    parsed,
    read_lines,
    require,
)

WORDS = File("https://one.org/words.txt", 32 * "0", size=5)
TALKS = Archive(
    ("https://one.org/v1/talks.tgz", "http://other.org/talks.tgz"), 64 * "a", made="talks/en",
    into="talks",
)  # fmt: skip
BY_HAND = File(name="secret.csv")


def test_what_is_missing_is_fetched(tmp_path):
    with publishing() as publish:
        asked = publish({"words.txt": "words", "one.org/v1": {"en/1.txt": b"talk"}})
        get_missing(tmp_path, [WORDS, TALKS])
        get_missing(tmp_path, [WORDS, TALKS])
    assert asked == [WORDS.url, TALKS.url[0]]
    assert (tmp_path / "words.txt").read_text() == "words"
    assert (tmp_path / "talks" / "en" / "1.txt").read_text() == "talk"
    require("Talks", tmp_path, [WORDS, TALKS])


def test_what_is_not_there_says_what_to_do(tmp_path):
    with pytest.raises(MissingFilesError) as caught:
        require("Talks", tmp_path, [WORDS, TALKS, BY_HAND])
    assert str(caught.value).splitlines() == [
        f"Talks: expected {tmp_path}/words.txt, {tmp_path}/talks/en, {tmp_path}/secret.csv, which "
        "does not exist; download=True downloads it, or put there by hand",
        f"  https://one.org/words.txt to {tmp_path}/words.txt",
        f"  https://one.org/v1/talks.tgz or http://other.org/talks.tgz to {tmp_path}/talks.tgz, "
        f"unpacked in {tmp_path}/talks",
    ]
    assert isinstance(caught.value, FileNotFoundError) and isinstance(caught.value, RuntimeError)
    with pytest.raises(MissingFilesError, match="secret.csv, which does not exist$"):
        require("Talks", tmp_path, [BY_HAND])


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("TALLOW_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"talks.tgz: expected .*one.org/v1.* and http://other"):
        TALKS.get(tmp_path)


def test_digests_and_mirrors(tmp_path):
    """The real ones: a mirror that is not there, a wrong digest, the right one."""
    (tmp_path / "words.txt").write_text("words")
    with serving(tmp_path) as address:
        url = (f"{address}none/words.txt", f"{address}words.txt")
        digest = digest_of(tmp_path / "words.txt", "sha256")
        path = File(url, digest.upper(), size=5).get(tmp_path / "a")
        assert path == tmp_path / "a" / "words.txt" and path.read_text() == "words"
        with pytest.raises(DownloadError, match=f"expected sha256:{64 * '0'}, got sha256:{digest}"):
            File(url, 64 * "0").get(tmp_path / "b")
        with pytest.raises(DownloadError, match="a file of 6 bytes, got one of 5"):
            File(url, size=6).get(tmp_path / "b")
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_archives(name):
    made = io.BytesIO(archive(name, {"a/b.txt": "text", "c": b"\x00"}))
    if name == "a.zip":
        with zipfile.ZipFile(made) as opened:
            assert {path: opened.read(path) for path in opened.namelist()} == {
                "a/b.txt": b"text", "c": b"\x00",
            }  # fmt: skip
        return
    with tarfile.open(fileobj=made, mode=f"r:{name[6:]}" if name.count(".") > 1 else "r") as opened:
        assert [opened.extractfile(path).read() for path in opened.getnames()] == [b"text", b"\x00"]


def test_nothing_is_left_of_a_server(tmp_path):
    before = threading.active_count()
    with pytest.raises(DownloadError, match="HTTP Error 404"), publishing() as publish:
        publish({"words.txt": "words"})
        File("https://one.org/other.txt").get(tmp_path)
    assert threading.active_count() == before and list(tmp_path.iterdir()) == []


def test_made_up_digests_have_the_form_of_digests(tmp_path):
    with publishing() as publish:
        publish({"words.txt": "words"})
        with pytest.raises(DownloadError, match="expected md5:12345, got"):
            File("https://one.org/words.txt", "12345").get(tmp_path)


def test_lines(tmp_path):
    (tmp_path / "a").write_bytes(b"1\r\n2\nx\n")
    lines = read_lines(tmp_path / "a")
    assert lines == ["1", "2", "x"] and parsed("a", lines[:2], int) == [1, 2]
    with pytest.raises(DataFileError, match="a, line 3: got 'x'"):
        parsed("a", lines, int)
    with pytest.raises(MissingFilesError, match="b: expected a file, which does not exist"):
        read_lines(tmp_path / "b")
