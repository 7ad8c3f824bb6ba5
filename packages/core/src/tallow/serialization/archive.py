"""PyTorch's zip format: `data.pkl` describes the object, `data/KEY` are its storages."""

import struct
import zipfile
import zlib

from tallow.serialization.opcodes import Interpreter
from tallow.serialization.storage import storage_loader

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, then the lengths of the name and extra field


class Archive:
    """The records of a zip file by name, without their common first folder; none is compressed."""

    def __init__(self, source):
        self.source = source
        try:
            with zipfile.ZipFile(source.window()) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise source.failure(f"expected a zip archive, got a damaged one ({error})") from None
        self.records = {}  # name -> offset and length in the file
        self.checksums = {}
        for entry in entries:
            name = entry.filename.partition("/")[2]
            if name in self.records:
                raise source.failure(f"expected one record {name!r}, got two")
            self.records[name] = self._extent(entry)
            self.checksums[name] = entry.CRC
        self._check_overlaps()

    def _extent(self, entry):
        """The offset and length of an entry's content in the file."""
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise self.source.failure(
                f"expected records as they are, got {entry.filename!r} compressed"
            )
        header = self.source.read(entry.header_offset, LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            raise self.source.failure(
                f"expected a record {entry.filename!r}, got none at its place"
            )
        _, name, extra = LOCAL_HEADER.unpack(header)
        return entry.header_offset + LOCAL_HEADER.size + name + extra, entry.file_size

    def _check_overlaps(self):
        end = 0
        for name, (offset, size) in sorted(self.records.items(), key=lambda item: item[1]):
            if offset < end or offset + size > self.source.size:
                raise self.source.failure(
                    f"expected records that lie apart in the file, got {name!r} at byte {offset}"
                )
            end = offset + size

    def read(self, name):
        """The content of a record that has to be whole: what describes the others."""
        content = self.source.read(*self.records[name])
        if zlib.crc32(content) != self.checksums[name]:
            raise self.source.failure(
                f"expected a record {name!r} as it was written, got a damaged one"
            )
        return content


def load_archive(source, place, names):
    """The object in a zip file; `place` moves each storage to its device.

    `names` are the classes that it may name beside those of data."""
    archive = Archive(source)
    if "constants.pkl" in archive.records:
        raise source.failure("expected what save wrote, got a TorchScript program")
    if "data.pkl" not in archive.records:
        raise source.failure("expected what save wrote, got no record data.pkl")
    if "byteorder" in archive.records and archive.read("byteorder") != b"little":
        raise source.failure("expected little-endian numbers, got others")

    extents = {name.removeprefix("data/"): extent for name, extent in archive.records.items()}
    load_storage = storage_loader(source, extents, place)
    return Interpreter(archive.read("data.pkl"), source.name, load_storage, names=names).run()
