"""Zips and tars that no archiver makes: each tries to cost much, to land elsewhere, or to crash who reads it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

MIB = 1 << 20
MANIFEST = b'{"model": {"modelName": "m", "handler": "h.py", "modelVersion": "1"}}'
Write = Callable[[Path], None]


def zeros(size: int) -> bytes:
    """Zeros, deflated, without ever holding them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


# Zips (APPNOTE 4.3), byte by byte ----------------------------------------------------------------------------


@dataclass
class Entry:
    """An entry of a zip, whose headers say what they are told to."""

    name: bytes = b"w.bin"
    content: bytes = b"numbers"
    method: int = 0
    flags: int = 0
    size: Optional[int] = None
    crc: Optional[int] = None
    offset: Optional[int] = None
    attributes: int = 0
    version: int = 20
    extra: bytes = b""
    is_written: bool = True


def zip_of(*entries: Entry, count: Optional[int] = None, table_size: Optional[int] = None) -> bytes:
    """A zip of such entries; by default the manifest is one more."""
    body, table = b"", b""
    for entry in (Entry(b"MAR-INF/MANIFEST.json", MANIFEST), *entries):
        size = len(entry.content) if entry.size is None else entry.size
        crc = zlib.crc32(entry.content) if entry.crc is None else entry.crc
        offset = len(body) if entry.offset is None else entry.offset
        common = (entry.flags, entry.method, 0, 33, crc, len(entry.content), size, len(entry.name))
        if entry.is_written:
            body += struct.pack("<4s5H3I2H", b"PK\3\4", 20, *common, 0) + entry.name + entry.content
        table += struct.pack(
            "<4s6H3I5H2I",
            b"PK\1\2",
            3 << 8,
            entry.version,
            *common,
            len(entry.extra),
            0,
            0,
            0,
            entry.attributes,
            offset,
        )
        table += entry.name + entry.extra
    number = len(entries) + 1 if count is None else count
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, number, number, table_size or len(table), len(body), 0)
    return body + table + end


def in_zip(*entries: Entry, **end: int) -> Write:
    return lambda path: write(path, zip_of(*entries, **end))


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def many_entries(number: int, count: int) -> Write:
    """A table of so many empty files, of which the end record admits only `count`."""

    def write_zip(path: Path) -> None:
        one = zip_of(Entry(b"", b"", is_written=False), count=1)
        start = one.rindex(b"PK\1\2")
        record = one[start : one.rindex(b"PK\5\6")]
        body = one[: one.index(b"PK\1\2")]
        named = struct.pack("<H", 5).join([record[:28], record[30:]])
        table = b"".join(named + b"%05x" % (index & 0xFFFFF) for index in range(number))
        end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(table), len(body), 0)
        write(path, body + table + end)

    return write_zip


def overlapping(path: Path) -> None:
    """As D. Fifield's "A better zip bomb": files whose headers lie in the bytes of another one."""
    inner = [Entry(b"%d.bin" % index, offset=120 + index, is_written=False) for index in range(60)]
    write(path, zip_of(Entry(content=bytes(1000)), *inner))


LZMA_IN_ZIP = b"\x09\x14\x05\x00" + b"\x5d\0\0\x80\0" + bytes(100)
ZIPS: dict[str, tuple[Write, str]] = {
    "30 MB of zeros": (
        in_zip(Entry(content=zeros(30 * MIB), method=8, size=30 * MIB)),
        "unpacks to 3145.* bytes or more, and max_size is 16777216: if you trust it, give --max-size or",
    ),
    "a size that is a lie": (
        in_zip(Entry(content=zeros(MIB), method=8, size=10, crc=zlib.crc32(bytes(11)))),
        "more bytes than it says",
    ),
    "a size of 4 GB": (in_zip(Entry(size=2**32 - 2)), "unpacks to 42949.* bytes or more, and max_size is"),
    "a size of 16 EB": (
        in_zip(Entry(size=2**32 - 1, extra=struct.pack("<HHQ", 1, 8, 2**64 - 1))),
        "unpacks to 18446744073709551.* bytes or more",
    ),
    "fewer bytes than stated": (in_zip(Entry(size=9)), "fewer bytes than it says"),
    "stored with more bytes": (in_zip(Entry(size=3, crc=zlib.crc32(b"numb"))), "more bytes than it says"),
    "a million entries": (
        many_entries(1_000_000, 0xFFFF),
        "holds more than 20000 files and folders: the table",
    ),
    "30,000 entries, of which it admits one": (
        many_entries(30_000, 1),
        "holds more than 500 files and folders",
    ),
    "two names of one file": (
        in_zip(Entry(b"a.bin"), Entry(b"b.bin", offset=0, is_written=False)),
        "overlaps with what comes after it",
    ),
    "files within files": (overlapping, "overlaps with what comes after it"),
    "a file over the table": (in_zip(Entry(offset=2**31)), "overlaps with what comes after it"),
    "no name": (in_zip(Entry(b"")), "a file without a name"),
    "a name that begins with NUL": (in_zip(Entry(b"\0a")), "a file without a name"),
    "a dot as a name": (in_zip(Entry(b".")), "a file without a name"),
    "a name of 5,000 characters": (in_zip(Entry(b"a/" * 2500)), "a name of 5000 characters: 'a/a/"),
    "a file name of 256 bytes": (in_zip(Entry(b"a" * 256)), "a file's name of more than 255 bytes"),
    "33 folders deep": (in_zip(Entry(b"a/" * 32 + b"b")), "more than 32 folders deep"),
    "a name with an escape": (in_zip(Entry(b"a\x1b[2J")), r"holds 'a\\x1b\[2J', which points outside of it"),
    "a folder's name for a file": (
        in_zip(Entry(b"a/b"), Entry(b"A")),
        "holds 'A' twice, as a file and as a folder",
    ),
    "a file's name for a folder": (
        in_zip(Entry(b"a"), Entry(b"a/b")),
        "holds 'a' twice, as a file and as a folder",
    ),
    "no UTF-8": (in_zip(Entry(b"\xff", flags=0x800)), "cannot be unpacked: 'utf-8' codec"),
    "encrypted": (in_zip(Entry(flags=1)), "which is encrypted"),
    "strongly encrypted": (in_zip(Entry(flags=0x40)), "cannot be unpacked: strong encryption"),
    "bzip2": (
        in_zip(Entry(content=bz2.compress(bytes(MIB)), method=12, size=MIB)),
        "another method than zip's",
    ),
    "lzma": (in_zip(Entry(content=LZMA_IN_ZIP, method=14, size=MIB)), "another method than zip's deflate"),
    "method 99": (in_zip(Entry(method=99)), "another method than zip's deflate"),
    "version 9.9": (in_zip(Entry(version=99)), "cannot be unpacked: zip file version 9.9"),
    "no deflated bytes": (in_zip(Entry(content=b"\xff" * 9, method=8)), "cannot be unpacked: Error -3"),
    "another checksum": (in_zip(Entry(crc=1)), "cannot be unpacked: Bad CRC-32"),
    "an extra field that is cut": (in_zip(Entry(extra=b"\1\0\x10\0")), "cannot be unpacked: Corrupt "),
    "a table of 4 GB": (in_zip(table_size=2**32 - 2), "cannot be unpacked: "),
    "no end record": (
        lambda path: write(path, zip_of(Entry())[:-22]),
        "cannot be unpacked: File is not a zip",
    ),
}


# Tars (POSIX pax), byte by byte ------------------------------------------------------------------------------


def header(name: str = "w.bin", kind: bytes = b"0", size: int = 0, link: str = "") -> bytes:
    """The 512 bytes in front of a member, whose size is whatever is wanted."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    wide = size < 0 or size >= 8**11
    block[124:136] = (
        b"\xff" * 4 + struct.pack(">q", size)
        if size < 0
        else (b"\x80" + bytes(3) + struct.pack(">Q", size) if wide else b"%011o\0" % size)
    )
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: str, content: bytes = b"", kind: bytes = b"0", link: str = "") -> bytes:
    return header(name, kind, len(content), link) + content + bytes(-len(content) % 512)


def pax(content: bytes, kind: bytes = b"x") -> bytes:
    return member("pax", content, kind)


def record(key: bytes, value: bytes) -> bytes:
    rest = b" %s=%s\n" % (key, value)
    return b"%d%s" % (next(n for n in range(9999) if n == len(b"%d" % n) + len(rest)), rest)


def in_tar(
    *parts: bytes, pack: Callable[[bytes], bytes] = lambda content: gzip.compress(content, 1)
) -> Write:
    whole = member("m/MAR-INF/MANIFEST.json", MANIFEST) + b"".join(parts)
    return lambda path: write(path, pack(whole + bytes(1024)))


def hidden_zeros(pack: Callable[[bytes], bytes]) -> Write:
    """A file of 30 MB in a few kB, made of streams that follow each other."""
    chunk = pack(bytes(10 * MIB))
    start = pack(member("m/MAR-INF/MANIFEST.json", MANIFEST) + header("m/w.bin", size=30 * MIB))
    return lambda path: write(path, start + chunk * 3)


def links(number: int, kind: bytes, size: int) -> Write:
    parts = [
        member(f"m/{index}.bin", b"", kind, "m/w.bin" if kind == b"1" else "w.bin") for index in range(number)
    ]
    return in_tar(member("m/w.bin", bytes(size)), *parts)


ONE = member("m/w.bin", b"numbers")
TARS: dict[str, tuple[Write, str]] = {
    "30 MB of zeros, by gzip": (
        hidden_zeros(gzip.compress),
        "unpacks to 3145.* bytes or more, and max_size is 16777216",
    ),
    "30 MB of zeros, by bzip2": (
        hidden_zeros(bz2.compress),
        "unpacks to 3145.* bytes or more, and max_size is",
    ),
    "30 MB of zeros, by xz": (
        hidden_zeros(lzma.compress),
        "unpacks to 3145.* bytes or more, and max_size is",
    ),
    "40 hard links to 1 MB": (
        links(40, b"1", MIB),
        "unpacks to 1[67].* bytes or more, and max_size is 16777216",
    ),
    "40 links to 1 MB": (
        links(40, b"2", MIB),
        "unpacks to 1[67].* bytes or more, and max_size is 16777216",
    ),
    "a size of 8 EB": (in_tar(header("m/w.bin", size=2**63 - 1)), "unpacks to 9223372036854.* bytes or more"),
    "a folder of 1 TB": (in_tar(header("m/w", b"5", size=2**40)), "unpacks to 1099511.* bytes or more"),
    "a size below zero": (in_tar(header("m/w.bin", size=-512), ONE), "leads backwards|a file of -512 bytes"),
    "more is promised": (
        lambda path: write(path, header("w.bin", size=2000)),
        "cannot be unpacked: unexpected end",
    ),
    "1,000 entries": (
        in_tar(*(header(f"m/{index}") for index in range(1000))),
        "holds more than 500 files and folders",
    ),
    "folders in folders, 1,000 of them": (
        in_tar(*(header(f"{index}/" + "a/" * 30 + "b") for index in range(40))),
        "holds more than 500 files and folders",
    ),
    "a pax header of 1 GB": (
        in_tar(header("p", b"x", 2**30), bytes(MIB)),
        "a header has 1073741824 bytes, and 8192",
    ),
    "a long name of 1 GB": (
        in_tar(header("p", b"L", 2**30), bytes(MIB)),
        "a header has 1073741824 bytes, and 8192",
    ),
    "a pax header of -512 bytes": (in_tar(header("p", b"x", -512), ONE), "a header has -512 bytes"),
    "a pax header of digits": (in_tar(pax(b"1" * 8192), ONE), "a number of 64 digits or more"),
    "records within records": (in_tar(pax(b"2 " * 4000 + b"=v"), ONE), "a pax header is damaged"),
    "a record of no bytes": (in_tar(pax(b"0 a=b\n"), ONE), "a pax header is damaged"),
    "a thousand global headers": (
        in_tar(*[pax(record(b"comment", b"c" * 4000), b"g") for _ in range(1000)], ONE),
        "more than 16 global headers|maximum recursion|pax header",
    ),
    "a thousand pax headers": (
        in_tar(*[pax(record(b"comment", b"c")) for _ in range(5000)], ONE),
        "cannot be unpacked: maximum recursion",
    ),
    "a pax size of 1 TB": (
        in_tar(pax(record(b"size", b"%d" % 2**40)), ONE),
        "unpacks to 10995.* bytes or more",
    ),
    "a pax size below zero": (in_tar(pax(record(b"size", b"-5")), ONE), "a file of -5 bytes|leads backwards"),
    "a pax name outside": (
        in_tar(pax(record(b"path", b"../w.bin")), ONE),
        "holds '../w.bin', which points outside",
    ),
    "a pax name with NUL": (
        in_tar(pax(record(b"path", b"a\0b")), ONE),
        r"holds 'a\\x00b', which points outside",
    ),
    "a sparse file": (in_tar(header("m/w.bin", b"S")), "'m/w.bin' is a sparse file, which is not read"),
    "a sparse file, by pax": (
        in_tar(pax(record(b"GNU.sparse.size", b"%d" % 2**50)), ONE),
        "holds a sparse file, which is not read",
    ),
    "a sparse file, by a map": (
        in_tar(pax(record(b"GNU.sparse.map", b"0," * 999)), ONE),
        "holds a sparse file, which is not read",
    ),
    "a fifo": (in_tar(header("m/fifo", b"6")), "holds 'm/fifo', which is neither a file nor a folder"),
    "no name": (in_tar(member("", b"numbers")), "a file without a name"),
    "a link to itself": (in_tar(ONE, member("m/l", b"", b"2", "l")), "holds 'm/l', a link to 'm/l' outside"),
    "a chain of links": (
        in_tar(
            ONE,
            *(member(f"m/{index}", b"", b"2", str(index + 1)) for index in range(20)),
            member("m/20", b"x"),
        ),
        "holds 'm/0', a link to 'm/1' outside the archive or to no file",
    ),
    "a link to a folder": (
        in_tar(header("m/a", b"5"), member("m/l", b"", b"2", "a")),
        "holds 'm/l', a link to 'm/a' outside the archive or to no file",
    ),
    "a link on the way": (
        in_tar(member("m/a", b"", b"2", "/tmp"), member("m/a/w.bin", b"x")),
        "holds 'm/a' twice, as a file and as a folder",
    ),
    "cut": (
        lambda path: write(path, gzip.compress(member("w.bin", bytes(range(256)) * 999))[:-90]),
        "cannot be unpacked: Compressed file ended",
    ),
    "damaged": (
        lambda path: write(path, gzip.compress(ONE, 0)[:40] + b"!" * 900),
        "no model archive|cannot be unpacked|cannot be read",
    ),
    "xz with a dictionary of 4 GB": (
        lambda path: write(path, lzma_of_a_large_dictionary()),
        "neither a zip|cannot be unpacked|has no MAR-INF",
    ),
}


def lzma_of_a_large_dictionary() -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    content = bytearray(lzma.compress(ONE + bytes(1024), lzma.FORMAT_XZ, filters=filters))
    # The dictionary's size is the one byte of properties of the block's only filter (xz-file-format 5.3.1).
    place = content.index(b"\x21\x01", 12) + 2
    content[place] = 40  # 4 GiB - 1
    size = (content[12] + 1) * 4
    content[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(bytes(content[12 : 12 + size - 4])))
    return bytes(content)
