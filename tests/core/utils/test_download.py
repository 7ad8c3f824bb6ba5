"""fetch against a loopback server that breaks off and lies; extract on hostile archives."""

import bz2
import gzip
import hashlib
import io
import lzma
import subprocess
import sys
import tarfile
import threading
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tallow.utils import download
from tallow.utils.download import ArchiveError, DownloadError, extract, fetch

CONTENT = bytes(range(256)) * 40
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The last part of the path says how the server behaves; it logs what was asked for."""

    def do_GET(self):
        how, range_ = self.path.rpartition("/")[2], self.headers.get("Range")
        self.server.log.append((how, range_))
        start = int(range_[6:-1]) if range_ and how != "whole" else 0
        if how == "missing":
            return self.answer(404, b"")
        if how == "broken" or (how == "busy" and len(self.server.log) < 3):
            return self.answer(503 if how == "busy" else 500, b"")
        if how == "moved":
            return self.answer(302, b"", place="/file")
        if how == "drops" and len(self.server.log) < 3:
            return self.connection.close()
        if start > len(CONTENT):
            return self.answer(416, b"")
        if how == "other":
            return self.answer(200, b"another file")
        if how == "page":
            return self.answer(200, b"<html>sign in first</html>", kind="text/html; charset=utf-8")
        body, claimed = CONTENT[start:], len(CONTENT) - start
        if how in ("breaks", "stalls"):
            body = body[:4000]
        return self.answer(206 if start else 200, body, claimed)

    def answer(self, status, body, claimed=None, kind="application/octet-stream", place=None):
        self.send_response(status)
        if place is not None:
            self.send_header("Location", place)
        self.send_header("Content-Type", kind)
        if not self.path.endswith("endless"):
            self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        self.wfile.write(body)
        if len(body) < (claimed or 0) and self.path.endswith("stalls"):
            self.server.released.wait(20)

    def log_message(self, *arguments):
        """Nothing is printed."""


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.log, made.released = [], threading.Event()
    made.url = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.released.set()
    made.shutdown()
    thread.join()
    made.server_close()


def test_fetch(server, tmp_path):
    path = tmp_path / "deep" / "file.bin"
    assert fetch(f"{server.url}/file", path, MD5) == path
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]
    fetch(f"{server.url}/file", path, MD5)
    assert len(server.log) == 1  # it was there already


def test_progress_is_shown_on_a_terminal(server, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    fetch(f"{server.url}/file", tmp_path / "file.bin", progress=False)
    assert sys.stderr.getvalue() == ""
    fetch(f"{server.url}/file", tmp_path / "other.bin")
    assert "other.bin" in sys.stderr.getvalue()


@pytest.mark.parametrize(
    "digest", [None, MD5, MD5[4:].upper(), "sha256:" + hashlib.sha256(CONTENT).hexdigest()]
)
def test_digests(server, tmp_path, digest):
    fetch(f"{server.url}/file", tmp_path / "a", digest)


def test_a_broken_connection_is_resumed(server, tmp_path):
    """10,240 bytes in three connections, each of 4,000 at most."""
    fetch(f"{server.url}/breaks", tmp_path / "a", MD5)
    assert server.log == [("breaks", None), ("breaks", "bytes=4000-"), ("breaks", "bytes=8000-")]


def test_a_later_call_resumes(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with pytest.raises(DownloadError, match="expected 10240 bytes, got 4000"):
        fetch(f"{server.url}/breaks", tmp_path / "a", MD5)
    assert not (tmp_path / "a").exists()
    fetch(f"{server.url}/file", tmp_path / "a", MD5)
    assert server.log[-1] == ("file", "bytes=4000-")


@pytest.mark.parametrize("how", ["whole", "file"])
def test_a_partial_file_of_another(server, tmp_path, how):
    """A server that knows no ranges, and a partial file that is too long."""
    (tmp_path / "a.partial").write_bytes(b"x" * (20000 if how == "file" else 100))
    fetch(f"{server.url}/{how}", tmp_path / "a", MD5)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_partial_file_that_is_the_start_of_another(server, tmp_path):
    (tmp_path / "a.partial").write_bytes(b"x" * 100)
    fetch(f"{server.url}/file", tmp_path / "a", MD5)
    assert [range_ for _, range_ in server.log] == ["bytes=100-", None]


def test_a_page_in_place_of_the_file(server, tmp_path):
    with pytest.raises(DownloadError, match="expected a file of data, got a web page"):
        fetch(f"{server.url}/page", tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []
    fetch(f"{server.url}/page", tmp_path / "a.html")


def test_several_at_once_fetch_once(server, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(fetch, f"{server.url}/file", tmp_path / "a", MD5) for _ in range(20)]
        assert {job.result() for job in jobs} == {tmp_path / "a"}
    assert len(server.log) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_processes_wait_for_each_other(server, tmp_path):
    script = (
        f"from tallow.utils.download import fetch; fetch({server.url + '/file'!r}, "
        f"{str(tmp_path / 'a')!r}, {MD5!r})"
    )
    jobs = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [job.wait() for job in jobs] == [0, 0, 0]
    assert len(server.log) == 1 and (tmp_path / "a").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server, tmp_path):
    fetch(f"{server.url}/busy", tmp_path / "a", MD5)
    assert len(server.log) == 3


@pytest.mark.parametrize(("how", "asked"), [("moved", ["moved", "file"]), ("drops", ["drops"] * 3)])
def test_other_ways_to_the_file(server, tmp_path, how, asked):
    fetch(f"{server.url}/{how}", tmp_path / "a", MD5)
    assert [how for how, _ in server.log] == asked


def test_a_server_that_stalls(server, tmp_path, monkeypatch):
    """It goes on after TIMEOUT seconds without a byte, where it was."""
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    fetch(f"{server.url}/stalls", tmp_path / "a", MD5)
    assert [range_ for _, range_ in server.log] == [None, "bytes=4000-", "bytes=8000-"]


def test_a_server_that_is_broken(server, tmp_path):
    with pytest.raises(DownloadError, match="HTTP Error 500"):
        fetch(f"{server.url}/broken", tmp_path / "a", MD5)
    assert len(server.log) == 3


def test_sizes(server, tmp_path):
    """A file of another size is not even begun with, nor does one go on for ever."""
    with pytest.raises(DownloadError, match="expected a file of 5 bytes, got one of 10240"):
        fetch(f"{server.url}/file", tmp_path / "a", size=5)
    fetch(f"{server.url}/breaks", tmp_path / "a", MD5, size=len(CONTENT))
    with pytest.raises(DownloadError, match="expected a file of 5 bytes, got a longer one"):
        fetch(f"{server.url}/endless", tmp_path / "b", size=5)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_offline(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLOW_OFFLINE", "1")
    with pytest.raises(DownloadError, match=f"a: expected it to be there.*{server.url}/file"):
        fetch(f"{server.url}/file", tmp_path / "a")
    assert server.log == [] and not (tmp_path / "a").exists()
    (tmp_path / "a").write_bytes(CONTENT)
    assert fetch(f"{server.url}/file", tmp_path / "a", MD5) == tmp_path / "a"
    monkeypatch.setenv("TALLOW_OFFLINE", "0")
    fetch(f"{server.url}/file", tmp_path / "b", MD5)


def test_mirrors(server, tmp_path):
    urls = [f"{server.url}/missing", f"{server.url}/other", f"{server.url}/file"]
    fetch(urls, tmp_path / "a", MD5)
    assert [how for how, _ in server.log] == ["missing", "other", "file"]


def test_failure_says_what_each_address_answered(server, tmp_path):
    with pytest.raises(DownloadError) as caught:
        fetch([f"{server.url}/missing", f"{server.url}/other"], tmp_path / "a", MD5)
    text = str(caught.value)
    assert f"{tmp_path / 'a'}: expected to download it" in text
    assert f"{server.url}/missing: HTTP Error 404" in text
    assert f"{server.url}/other: expected {MD5}, got md5:" in text
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept(tmp_path):
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.warns(UserWarning, match="the file is used as it is"):
        fetch("http://127.0.0.1:1/a", tmp_path / "a", MD5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fetch("http://127.0.0.1:1/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"mine"


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "a.zip"])
def test_only_http(url, tmp_path):
    with pytest.raises(ValueError, match="expected an http or https address"):
        fetch(url, tmp_path / "a")


# Archives

FILES = {"top.txt": b"one", "folder/inner.txt": b"two"}


def zipped(files, path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def tarred(files, path, mode="w:gz", kind=tarfile.REGTYPE, link=""):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = len(content), kind, link
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.zip", zipped),
        ("a.tar", lambda files, path: tarred(files, path, "w")),
        ("a.tar.gz", tarred),
        ("a.tgz", tarred),
        ("a.tar.bz2", lambda files, path: tarred(files, path, "w:bz2")),
        ("a.tar.xz", lambda files, path: tarred(files, path, "w:xz")),
    ],
)
def test_extract(tmp_path, name, make):
    make(FILES, tmp_path / name)
    folder = tmp_path / "out"
    (folder / "folder").mkdir(parents=True)
    (folder / "folder" / "mine.txt").write_bytes(b"stays")
    (folder / "top.txt").write_bytes(b"old")
    extract(tmp_path / name, folder)
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == FILES | {"folder/mine.txt": b"stays"}


@pytest.mark.parametrize(
    ("ending", "opener"), [("gz", gzip.open), ("bz2", bz2.open), ("xz", lzma.open)]
)
def test_extract_one_file(tmp_path, ending, opener):
    path = tmp_path / f"data.txt.{ending}"
    with opener(path, "wb") as file:
        file.write(CONTENT)
    extract(path, remove_finished=True)
    assert (tmp_path / "data.txt").read_bytes() == CONTENT and not path.exists()


EVIL = ["../evil.txt", "folder/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:\\evil.txt"]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_paths_that_lead_outside(tmp_path, make, name):
    make({"good.txt": b"good", name: b"evil"}, tmp_path / "archive")
    with pytest.raises(ArchiveError, match="archive: expected paths within its folder, got"):
        extract(tmp_path / "archive", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("kind", "target"), [
    (tarfile.SYMTYPE, "/etc"), (tarfile.SYMTYPE, "../.."), (tarfile.LNKTYPE, "../secret"),
    (tarfile.FIFOTYPE, ""), (tarfile.CHRTYPE, ""),
])  # fmt: skip
def test_links_and_devices(tmp_path, kind, target):
    tarred({"link": b""}, tmp_path / "archive", kind=kind, link=target)
    with pytest.raises(ArchiveError, match="expected files and folders only.*'link'"):
        extract(tmp_path / "archive", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_link_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        member = zipfile.ZipInfo("link")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(ArchiveError, match="'link'"):
        extract(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["a.zip", "a.tar.gz", "a.tar.xz", "data.gz", "data.xz", "data.bz2"]
)
def test_truncated(tmp_path, name):
    path = tmp_path / name
    noise = hashlib.shake_128(b"x").digest(20000)
    if name == "a.zip":
        zipped({"a": noise}, path)
    elif "tar" in name:
        tarred({"a": noise}, path, "w:" + name[6:])
    else:
        opener = {"gz": gzip.open, "xz": lzma.open, "bz2": bz2.open}[name[5:]]
        with opener(path, "wb") as file:
            file.write(noise)
    path.write_bytes(path.read_bytes()[:12000])
    with pytest.raises(ArchiveError, match=f"{name}: expected"):
        extract(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "data.gz", "data.xz"])
def test_bombs(tmp_path, monkeypatch, name):
    monkeypatch.setattr(download, "UNPACKED", 1 << 16)
    path, content = tmp_path / name, b"x" * (10 << 20)
    if name == "a.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", content)
    elif "tar" in name:
        tarred({"a": content}, path)
    else:
        with (gzip if name == "data.gz" else lzma).open(path, "wb") as file:
            file.write(content)
    with pytest.raises(ArchiveError, match=f"{name}: expected an archive of data, got one that"):
        extract(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MEMBERS", 3)
    tarred({f"{i}": b"" for i in range(4)}, tmp_path / "a.tar.gz")
    with pytest.raises(ArchiveError, match="far more"):
        extract(tmp_path / "a.tar.gz", tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_foreign(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match="a.zip: expected a zip, a tar"):
        extract(tmp_path / "a.zip")


def test_the_lock_changes_hands(tmp_path):
    """Threads that meet as it is removed and made again, which one of them sees in between."""
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            jobs = [pool.submit(_in_turn, tmp_path / "a") for _ in range(40)]
            assert all(job.result(timeout=20) for job in jobs)


def _in_turn(path):
    with download._alone(path):
        return path.with_name("a.lock").exists()
