"""Names that a DLL exports, read out of its file (learn.microsoft.com: "PE Format", export directory table)."""

from __future__ import annotations

import struct
from pathlib import Path

_PE_OFFSET_AT = 0x3C
_COFF_HEADER_BYTES = 24
_SECTION_BYTES = 40
_PE32_PLUS = 0x20B
_DIRECTORIES_AT = {0x10B: 96, _PE32_PLUS: 112}
"""Where the data directories begin in the optional header, by its kind."""


def exported_names(library: Path) -> list[str]:
    """The names in the order of the file. Raises ValueError when this is no DLL with names."""
    content = library.read_bytes()
    try:
        return _names(content)
    except (struct.error, UnicodeDecodeError, KeyError) as problem:
        raise ValueError(f"{library} is no Windows library with named functions") from problem


def _names(content: bytes) -> list[str]:
    header = struct.unpack_from("<I", content, _PE_OFFSET_AT)[0]
    if content[header : header + 4] != b"PE\0\0":
        raise ValueError("no Windows program")
    section_count, optional_bytes = struct.unpack_from("<2xH12xH", content, header + 4)
    optional = header + _COFF_HEADER_BYTES
    kind = struct.unpack_from("<H", content, optional)[0]
    directory = struct.unpack_from("<I", content, optional + _DIRECTORIES_AT[kind])[0]
    sections = [
        struct.unpack_from("<8xIIII", content, optional + optional_bytes + place * _SECTION_BYTES)
        for place in range(section_count)
    ]

    def place_in_file(address: int) -> int:
        for virtual_bytes, virtual_address, raw_bytes, raw_place in sections:
            if virtual_address <= address < virtual_address + max(virtual_bytes, raw_bytes):
                return int(address - virtual_address + raw_place)
        raise ValueError(f"address {address:#x} is in no section")

    count, names_address = struct.unpack_from("<24xI4xI", content, place_in_file(directory))
    addresses = struct.unpack_from(f"<{count}I", content, place_in_file(names_address))
    found = []
    for address in addresses:
        start = place_in_file(address)
        found.append(content[start : content.index(b"\0", start)].decode("ascii"))
    return found
