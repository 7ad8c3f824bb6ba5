"""What several tests of tallowtext need."""

import re
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlparse

import pytest

from tallow.utils import download


@pytest.fixture
def publish(monkeypatch):
    """Serves contents by a part of their addresses: {part: bytes}; every address leads there."""
    published, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            (url,) = parse_qs(urlparse(self.path).query)["url"]
            asked.append(url)
            content = next((c for part, c in published.items() if part in url), None)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments):
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def open_here(request, timeout):
        here = f"http://127.0.0.1:{server.server_port}/?url={quote(request.full_url, safe='')}"
        return urllib.request.urlopen(here, timeout=timeout)

    def plausible(path, digest):
        return digest is None or re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", digest)

    monkeypatch.setattr(download, "urlopen", open_here)
    monkeypatch.setattr(download, "_matches", plausible)

    def serve(files):
        published.update(files)
        return asked

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()
