"""What tests of datasets share: small archives, and a server on loopback that publishes them."""

import io
import re
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import PIL.Image

from tallowvision.datasets import _files

RNG = np.random.default_rng(0)


def picture(kind="jpeg", shape=(6, 8, 3)):
    """The bytes of an image file."""
    made = io.BytesIO()
    PIL.Image.fromarray(RNG.integers(0, 256, shape, np.uint8)).save(made, kind)
    return made.getvalue()


def grey(kind="png", size=(6, 8)):
    return picture(kind, size)


def archive(name, files):
    """The bytes of an archive, of the kind that its name says, or a file as it is."""
    made = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(made, "w") as target:
            for path, content in files.items():
                target.writestr(path, content)
    elif not isinstance(files, dict):
        return files
    else:
        kind = "w:gz" if name.endswith(("gz", "tgz")) else "w"
        with tarfile.open(fileobj=made, mode=kind) as target:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
    return made.getvalue()


def publishing(tmp_path, monkeypatch):
    """Serves archives {name: {path: content}}; every address leads there."""
    folder = tmp_path / "published"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fetch = _files.fetch

    def fetch_here(url, path, digest):
        assert re.match("https?://.+", url) and re.fullmatch(
            "md5:[0-9a-f]{32}", digest or "md5:" + 32 * "0"
        )
        return fetch(f"http://127.0.0.1:{server.server_port}/{path.name}", path)

    monkeypatch.setattr(_files, "fetch", fetch_here)

    def serve(archives):
        for name, files in archives.items():
            (folder / name).write_bytes(archive(name, files))

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()
