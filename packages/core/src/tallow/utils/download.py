"""Files from the network, and archives: fetched whole or not at all, verified, unpacked safely."""

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import stat
import tarfile
import tempfile
import warnings
import zipfile
import zlib
from http.client import HTTPException
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tallow.errors import ArgumentError, TallowError
from tallow.utils.progress import progress as progress_bar

try:
    import fcntl
except ImportError:  # not everywhere: there, two processes had better not fetch the same
    fcntl = None  # type: ignore[assignment]

BLOCK = 1 << 20
TIMEOUT = 60  # seconds without a byte
ATTEMPTS = 3  # with each address: a connection that breaks goes on where it was
UNPACKED = 1 << 30  # bytes that an archive may unpack to, or RATIO times its own if that is more
RATIO = 200
MEMBERS = 5_000_000


class DownloadError(TallowError, RuntimeError):
    """A file that could not be had from any of its addresses."""


class ArchiveError(TallowError, RuntimeError):
    """An archive that is broken, of an unknown kind, or that would write outside its folder."""


def digest_of(path, algorithm="md5"):
    """The digest of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def fetch(urls, path, digest=None, progress=True, size=None):
    """The file at one of `urls` (a list, or one) as `path`; nothing is done if that exists already.

    `digest` is what its content must have: its SHA-256 or MD5 in hexadecimal, "sha256:" or "md5:"
    before it or not; `size` how many bytes it must have. A file that exists with another digest is
    kept, with a warning. A download that breaks is resumed, also by a later call; `path` appears
    once it is whole and verified. Processes that want the same file wait for the one that fetches
    it. Raises DownloadError with what each of the addresses answered, or at once where the
    environment has TALLOW_OFFLINE=1.
    """
    path = Path(path)
    if path.exists():
        if not _matches(path, digest):
            warnings.warn(
                f"{path}: expected the published digest {digest}, got another; the file is used as "
                "it is, remove it to download it again",
                stacklevel=2,
            )
        return path
    urls = [urls] if isinstance(urls, str) else urls
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise ArgumentError(f"fetch: expected an http or https address, got {url!r}")
    if os.environ.get("TALLOW_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(
            f"{path}: expected it to be there, as TALLOW_OFFLINE is set; it is published at "
            + " and ".join(urls)
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        if not path.exists():  # nor did another process fetch it in the meantime
            _fetch_from_any(urls, path, digest, progress, size)
    return path


def _fetch_from_any(urls, path, digest, progress, size):
    partial, failures = Path(f"{path}.partial"), []
    for url in urls:
        try:
            resumed = partial.exists()
            _receive(url, partial, progress, size)
            if resumed and not _matches(partial, digest):  # it was the start of another file
                partial.unlink()
                _receive(url, partial, progress, size)
            if not _matches(partial, digest):
                algorithm, expected = _parts_of(digest)
                found = digest_of(partial, algorithm)
                raise DownloadError(f"expected {algorithm}:{expected}, got {algorithm}:{found}")
            os.replace(partial, path)
            return
        except (OSError, HTTPException, DownloadError) as error:
            failures.append(f"{url}: {error or type(error).__name__}")
            if isinstance(error, DownloadError):
                partial.unlink(missing_ok=True)
    hint = "; without a network, put it there by other means"
    raise DownloadError("\n  ".join([f"{path}: expected to download it, got", *failures]) + hint)


@contextlib.contextmanager
def _alone(path):
    """A context that one process at a time is in, for each path."""
    lock, file = Path(f"{path}.lock"), None
    while file is None:
        file = open(lock, "ab")
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        if not _is_at(file, lock):
            file.close()  # who had it before has removed it
            file = None
    with file:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _is_at(file, path):
    """True if an open file is the one that is at a path now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _matches(path, digest):
    if digest is None:
        return True
    algorithm, expected = _parts_of(digest)
    return digest_of(path, algorithm) == expected


def _parts_of(digest):
    """The algorithm that a digest is of, which its length tells where it is not named, and it."""
    algorithm, _, digits = digest.rpartition(":")
    return algorithm or ("sha256" if len(digits) == 64 else "md5"), digits.lower()


def _receive(url, partial, progress, size):
    """Append to a partial file what it lacks of the one at an address."""
    for attempt in range(ATTEMPTS):
        try:
            return _receive_once(url, partial, progress, size)
        except HTTPError as error:
            if error.code == 416 and partial.exists():  # the partial file is of another one
                partial.unlink()
            elif attempt == ATTEMPTS - 1 or error.code < 500:
                raise
        except (OSError, HTTPException):
            if attempt == ATTEMPTS - 1:
                raise


def _receive_once(url, partial, progress, size):
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": "tallow"} | ({"Range": f"bytes={start}-"} if start else {})
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as answer:
        if answer.status != 206:  # not a part: all of it comes
            start = 0
        page = answer.headers.get_content_type() == "text/html"
        if page and Path(partial.stem).suffix not in (".html", ".htm"):
            raise DownloadError("expected a file of data, got a web page")
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else size
        if size not in (None, total):
            raise DownloadError(f"expected a file of {size} bytes, got one of {total}")
        shown = contextlib.nullcontext()
        if progress:
            shown = progress_bar(desc=partial.stem, total=total, initial=start, unit="B")
        with open(partial, "ab" if start else "wb") as file, shown as bar:
            while block := answer.read1(BLOCK):  # as it comes: what is there before a stall counts
                file.write(block)
                if bar is not None:
                    bar.update(len(block))
                if total is not None and file.tell() > total:
                    raise DownloadError(f"expected a file of {total} bytes, got a longer one")
            got = file.tell()
    if total is not None and got < total:
        raise ConnectionError(f"expected {total} bytes, got {got}")


# Archives

_BROKEN = (
    EOFError, OSError, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
    NotImplementedError, RuntimeError,
)  # fmt: skip
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def extract(path, folder=None, remove_finished=False):
    """Unpack a zip, a tar (compressed or not), or a file compressed by gzip, bzip2 or xz.

    It goes to `folder`, by default the archive's own; a compressed file keeps its name without the
    ending. Nothing is unpacked of an archive with a path or a link that leads out of the folder,
    or that is broken, or that is out of all proportion unpacked: ArchiveError names it.
    """
    path = Path(path)
    folder = path.parent if folder is None else Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".extract-") as made:
        try:
            _unpack(path, Path(made))
        except _BROKEN as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"{path}: expected a whole archive, got {error}") from error
        for entry in list(Path(made).iterdir()):
            _place(entry, folder / entry.name)
    if remove_finished:
        path.unlink(missing_ok=True)
    return folder


def _unpack(path, folder):
    check = _Checks(path)
    with open(path, "rb") as file:
        head = file.read(6)
    opener = next((o for magic, o in _COMPRESSED.items() if head.startswith(magic)), None)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                link = stat.S_ISLNK(member.external_attr >> 16)
                check(member.filename, member.file_size, link)
            archive.extractall(folder)
    elif tarfile.is_tarfile(path):
        options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        with tarfile.open(path) as archive:
            for member in archive:
                check(member.name, member.size, not (member.isfile() or member.isdir()))
                archive.extract(member, folder, **options)
    elif opener:
        with opener(path, "rb") as source, open(folder / path.stem, "wb") as target:
            while block := source.read(BLOCK):
                check(path.stem, len(block))
                target.write(block)
    else:
        raise ArchiveError(
            f"{path}: expected a zip, a tar, or a file of gzip, bzip2 or xz, got one that begins "
            f"with {head!r}"
        )


class _Checks:
    """Raises for a member of an archive that is no file or folder below the one unpacked to.

    And where all that was seen is more than an archive of data unpacks to.
    """

    def __init__(self, path):
        self.path = path
        self.room = max(UNPACKED, RATIO * path.stat().st_size)
        self.members = MEMBERS

    def __call__(self, name, size, other=False):
        for kind in (PurePosixPath, PureWindowsPath):
            inside = kind(name)
            if inside.is_absolute() or inside.drive or ".." in inside.parts:
                raise ArchiveError(f"{self.path}: expected paths within its folder, got {name!r}")
        if other:
            raise ArchiveError(
                f"{self.path}: expected files and folders only, got the link or device {name!r}"
            )
        self.room -= size
        self.members -= 1
        if self.room < 0 or self.members < 0:
            raise ArchiveError(
                f"{self.path}: expected an archive of data, got one that unpacks to far more"
            )


def _place(entry, target):
    """Move a file or folder to its place, into a folder that is there already."""
    if entry.is_dir() and target.is_dir():
        for child in list(entry.iterdir()):
            _place(child, target / child.name)
    else:
        os.replace(entry, target)
