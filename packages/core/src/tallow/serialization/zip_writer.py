"""Zip archives of uncompressed records, each aligned so that it can be mapped into memory.

Checksums are computed in a thread while the records before are written. Sizes and offsets that do
not fit into 32 bits are written in zip's 64-bit extension.

Reference: PKWARE, APPNOTE.TXT, .ZIP File Format Specification 6.3.10.
"""

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

ALIGNMENT = 64
LIMIT = 0xFFFFFFFF  # what is not below goes into the 64-bit extension
VERSION = 45  # of the format: the first with the extension
DATE = 0x21  # 1 January 1980, as the time says nothing

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR64 = struct.Struct("<4sIQI")
END = struct.Struct("<4s4H2IH")


def write_archive(file, records):
    """Write a dictionary of contents by name to a binary file."""
    start = offset = file.tell() if file.seekable() else 0
    directory = b""
    with ThreadPoolExecutor(1) as pool:
        checksums = pool.map(zlib.crc32, records.values())
        for (name, content), checksum in zip(records.items(), checksums, strict=True):
            size = len(content)
            header = _local_header(name.encode(), size, checksum, offset - start)
            file.write(header)
            file.write(content)
            directory += _central_header(name.encode(), size, checksum, offset - start)
            offset += len(header) + size
    file.write(directory + _end(len(records), len(directory), offset - start))


def _local_header(name, size, checksum, offset):
    """What stands before a record; it ends at a multiple of ALIGNMENT."""
    extra = _extra64(size, size) if size >= LIMIT else b""
    padding = -(offset + LOCAL.size + len(name) + len(extra) + 4) % ALIGNMENT
    extra += struct.pack("<2sH", b"FB", padding) + bytes(padding)
    shown = _short(size)
    fields = (VERSION, 0, 0, 0, DATE, checksum, shown, shown, len(name), len(extra))
    return LOCAL.pack(b"PK\x03\x04", *fields) + name + extra


def _central_header(name, size, checksum, offset):
    """A record's entry in the directory."""
    extra = _extra64(*[n for n in (size, size, offset) if n >= LIMIT])
    shown = _short(size)
    fields = (VERSION, VERSION, 0, 0, 0, DATE, checksum, shown, shown, len(name), len(extra))
    rest = (0, 0, 0, 0, _short(offset))
    return CENTRAL.pack(b"PK\x01\x02", *fields, *rest) + name + extra


def _short(number):
    """What stands in 32 bits for a number: itself, or a sign that it is in the extension."""
    return number if number < LIMIT else 0xFFFFFFFF


def _extra64(*numbers):
    """The extension field with numbers of 64 bits, nothing if there are none."""
    if not numbers:
        return b""
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def _end(count, size, offset):
    """What follows the directory: how many entries it has, its size and where it starts."""
    end = b""
    if count >= 0xFFFF or size >= LIMIT or offset >= LIMIT:
        end = END64.pack(
            b"PK\x06\x06", END64.size - 12, VERSION, VERSION, 0, 0, count, count, size, offset
        ) + LOCATOR64.pack(b"PK\x06\x07", 0, offset + size, 1)
    few = min(count, 0xFFFF)
    return end + END.pack(b"PK\x05\x06", 0, 0, few, few, _short(size), _short(offset), 0)
