"""Zip files → their contents: plain ones, and the signed ones of ETSI EN 319 162 (ASiC-E, which BDOC is, and ASiC-S).

Invariant: a member's size is looked at before it is unpacked and counted while it is; names are data, never paths.
"""

import contextlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote, unquote_plus

from lxml import etree

from mailrouter.core.containers.kinds import media_type_of
from mailrouter.core.containers.opened import Contents, Item
from mailrouter.core.containers.signers import xml_signers
from mailrouter.core.containers.xml import parse_xml
from mailrouter.core.headers import clean
from mailrouter.core.message import Signer
from mailrouter.core.outcomes import Defect

_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,  # a compression method that zipfile does not know
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
    KeyError,
    IndexError,
)
_MAX_RATIO: Final = 200  # of unpacked to packed size; documents and their XML reach about 50
_HARMLESS_BYTES: Final = 5 * 1024 * 1024  # below this a large ratio does no harm
_MAX_SIGNATURE_BYTES: Final = 4 * 1024 * 1024
_MAX_SIGNATURES: Final = 200
# Zip files that are documents: read as a whole, not opened as containers.
_DOCUMENT_TYPES: Final = ("application/vnd.oasis.opendocument", "application/epub")
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/.*|\.DS_Store|Thumbs\.db|desktop\.ini)$")
_SIGNATURE_FILE = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml", re.IGNORECASE)


def open_zip(content: bytes, max_items: int, max_bytes: int) -> Contents | None:
    """The contents of a zip file; None if it is a document (DOCX, ODT …). At most `max_items` and `max_bytes`."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except _BROKEN as error:
        return Contents(defects=(Defect("container", f"broken zip file: {clean(str(error))[:200]}"),))
    with archive:
        mimetype = _mimetype(archive, members)
        if mimetype.startswith(_DOCUMENT_TYPES) or any(info.filename == "[Content_Types].xml" for info in members):
            return None
        if members and any(info.flag_bits & 1 for info in members):
            return Contents(encrypted="zip password")
        signed = "asic" in mimetype or any(_SIGNATURE_FILE.fullmatch(info.filename) for info in members)
        files = [info for info in members if _is_file(info, signed=signed)]
        defects = [
            Defect("path", f"name in an archive that points outside: {info.filename[:80]}")
            for info in files
            if _points_outside(info.filename)
        ]
        items, limits = _unpack(archive, files, max_items, max_bytes)
        defects.extend(limits)
        if not signed:
            return Contents(tuple(items), (), tuple(defects))
        return _signed(archive, members, items, mimetype, defects)


def _is_file(info: zipfile.ZipInfo, *, signed: bool) -> bool:
    if info.is_dir() or _JUNK.search(info.filename):
        return False
    return not (signed and (info.filename == "mimetype" or info.filename.startswith("META-INF/")))


def _mimetype(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> str:
    """The container's own type, its first member by the standard, but found anywhere."""
    found = next((info for info in members if info.filename == "mimetype" and info.file_size < 200), None)
    if found is None or found.flag_bits & 1:
        return ""
    return (_member(archive, found, 200) or b"").decode("utf-8", "replace").strip()


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes | None:
    """A member unpacked, None if it is larger than `most` or broken: the declared size may lie."""
    try:
        with archive.open(info) as file:
            data = file.read(most + 1)
    except _BROKEN:
        return None
    return data if len(data) <= most else None


def _unpack(
    archive: zipfile.ZipFile, files: Sequence[zipfile.ZipInfo], max_items: int, max_bytes: int
) -> tuple[list[Item], list[Defect]]:
    items: list[Item] = []
    defects: list[Defect] = []
    left = max_bytes
    for info in files:
        if len(items) >= max_items:
            defects.append(Defect("parts", f"an archive of {len(files)} files: only {max_items} were opened"))
            break
        name = member_name(info)
        bomb = info.file_size > _HARMLESS_BYTES and info.file_size > _MAX_RATIO * max(1, info.compress_size)
        if bomb or info.file_size > left:
            defects.append(Defect("zip-bomb", f"{name}: {info.file_size} bytes unpacked, not opened"))
            continue
        data = _member(archive, info, left)
        if data is None:
            defects.append(Defect("container", f"{name} in the archive is broken or larger than it says"))
            continue
        left -= len(data)
        items.append(Item(name, data, media_type_of(name, "")))
    return items, defects


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's name: UTF-8 though not flagged so is common in signed containers; a way outside is cut off."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return safe_name(clean(name))[:255] or "unnamed"


def safe_name(name: str) -> str:
    """A file name without a way outside; a slash that only parts folders, or stands in a number, stays."""
    return name.replace("\\", "/").rpartition("/")[2] if _points_outside(name) else name


def _points_outside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":")


def _signed(
    archive: zipfile.ZipFile,
    members: Sequence[zipfile.ZipInfo],
    items: Sequence[Item],
    mimetype: str,
    defects: list[Defect],
) -> Contents:
    """Signers of an ASiC container, and which of its files each of them signed."""
    found: list[tuple[Signer, str, tuple[str, ...]]] = []
    for root in _signature_files(archive, members, defects):
        found.extend(xml_signers(root)[:_MAX_SIGNATURES])
    ids = [name for _, name, _ in found if name]
    if len(set(ids)) < len(ids):
        defects.append(Defect("signature", "two signatures have the same id"))
    stamped = any(info.filename.upper().endswith((".TST", ".P7S")) for info in members)
    if not found and not stamped:
        defects.append(Defect("unsigned", "the container has no signature"))
    covered = [(signer, frozenset(_decoded(uris))) for signer, _, uris in found]
    listed: list[Item] = []
    for item in items:
        signers = tuple(signer for signer, names in covered if item.name in names)
        if found and not signers and "asic-s" not in mimetype:
            defects.append(Defect("unsigned", f"{item.name} is in the container but no signature covers it"))
        listed.append(Item(item.name, item.content, item.media_type, signers))
    return Contents(tuple(listed), tuple(signer for signer, _, _ in found), tuple(defects))


def _signature_files(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], defects: list[Defect]
) -> Iterator[etree._Element]:
    files = [info for info in members if _SIGNATURE_FILE.fullmatch(info.filename)]
    for info in files[:_MAX_SIGNATURES]:
        root = parse_xml(_member(archive, info, _MAX_SIGNATURE_BYTES) or b"")
        if root is None:
            defects.append(Defect("signature", f"{info.filename} cannot be read"))
        else:
            yield root


def _decoded(uris: Sequence[str]) -> Iterator[str]:
    """A file's name as a signature may write it: "+" stands for itself or, by old programs, for a space."""
    for uri in uris:
        for reading in (uri, unquote(uri), unquote_plus(uri)):
            yield reading
            yield reading.removeprefix("/").removeprefix("./")
