"""For tests of datasets: archives made up on the spot, and a server on this machine for them."""

import io
import os
import re
import tarfile
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from unittest import mock

from tallow.utils import download

__all__ = ["archive", "publishing", "serving"]

DIGEST = re.compile("(md5:)?[0-9a-fA-F]{32}|(sha256:)?[0-9a-fA-F]{64}")


def archive(name, files):
    """The bytes of an archive of the kind that the end of its name says: zip, or tar as it may be.

    `files` are its contents by path, bytes or text.

    >>> sorted(zipfile.ZipFile(io.BytesIO(archive("a.zip", {"a/b.txt": "text"}))).namelist())
    ['a/b.txt']
    """
    contents = {path: _bytes(content) for path, content in files.items()}
    made, kind = io.BytesIO(), name.rpartition(".")[2]
    if kind == "zip":
        with zipfile.ZipFile(made, "w") as target:
            for path, content in contents.items():
                target.writestr(path, content)
        return made.getvalue()
    kind = {"tgz": "gz"}.get(kind, kind)
    with tarfile.open(fileobj=made, mode=f"w:{kind}" if kind in ("gz", "bz2", "xz") else "w") as t:
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            t.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _bytes(content):
    return content.encode() if isinstance(content, str) else content


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """Nothing is printed."""


@contextmanager
def serving(folder):
    """A context with the address of a server on this machine that publishes a folder's files."""
    handler = partial(_Quiet, directory=os.fspath(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def publishing():
    """A context in which downloads from every address come from a server on this machine.

    It gives a function that publishes: it takes a dictionary from the names under which files are
    stored, or parts of their addresses, to their contents: bytes, text, or a dictionary for
    `archive`. It returns the list of the addresses that were asked for. As contents are made up,
    digests are held to their form alone, and sizes are not compared; all else is as with the real
    files.

    >>> with publishing() as publish, TemporaryDirectory() as folder:
    ...     asked = publish({"pets.zip": {"cat.txt": "meow"}})
    ...     path = download.fetch("https://one.org/pets.zip", f"{folder}/pets.zip", 32 * "0")
    ...     text = Path(download.extract(path), "cat.txt").read_text()
    >>> text, asked
    ('meow', ['https://one.org/pets.zip'])
    """
    receive, places, asked = download._receive, {}, []

    with TemporaryDirectory() as folder, serving(folder) as address:

        def publish(files):
            for name, content in files.items():
                content = archive(name, content) if isinstance(content, dict) else content
                places[name] = str(len(places))
                Path(folder, places[name]).write_bytes(_bytes(content))
            return asked

        def receive_here(url, partial, progress, size):
            asked.append(url)
            name = partial.stem
            if name not in places:
                name = next((part for part in places if part in url), "")
            receive(address + places.get(name, "missing"), partial, progress, None)

        def is_digest(path, digest):
            return digest is None or DIGEST.fullmatch(digest) is not None

        with mock.patch.multiple(download, _receive=receive_here, _matches=is_digest):
            yield publish
