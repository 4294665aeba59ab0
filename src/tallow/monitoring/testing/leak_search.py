"""Finding a secret in what left, in whatever clothes: the search behind "nothing private left".

A scrubber cannot tell what it missed; a search for what was planted can. Plant values nobody else has, let
the application work, and search everything that came out of it.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import quopri
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

MIN_SECRET_CHARACTERS: Final = 6
"""Characters of a secret; a shorter one would be found by chance."""
MAX_DEPTH: Final = 3
"""How deep escapes within escapes, and compressed parts within compressed parts, are opened."""

_GZIP: Final = re.compile(b"\x1f\x8b\x08")
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\]))")
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

Content = str | bytes | Mapping[Any, Any] | list[Any] | tuple[Any, ...]


def find_leaks(secrets: Iterable[str], content: Content) -> list[str]:
    """The secrets that are in ``content``, each as ``SECRET (form)``.

    They are found in any case, reversed, in hexadecimal, base64 (wherever they begin in a group), UTF-16 and
    UTF-32; behind percent, JSON, Python, HTML and quoted-printable escapes; and in gzip'd parts.

    Raises:
        ValueError: a secret of fewer than :data:`SHORTEST` characters.
    """
    wanted = [
        (f"{secret} ({form})", shape) for secret in secrets for form, shape in encoded_forms(secret).items()
    ]
    found = [
        said
        for part in _decoded_layers(_to_bytes(content), MAX_DEPTH)
        for said, shape in wanted
        if shape in part
    ]
    return list(dict.fromkeys(found))


def find_leaks_in_files(secrets: Iterable[str], folder: Path) -> list[str]:
    """The secrets in the names and contents of all files of a folder, each as ``FILE: SECRET (form)``."""
    wanted, found = list(secrets), []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found += [f"{name}: {leak} in its name" for leak in find_leaks(wanted, path.name)]
        if path.is_file():
            found += [f"{name}: {leak}" for leak in find_leaks(wanted, path.read_bytes())]
    return found


def assert_absent(secrets: Iterable[str], *contents: Content) -> None:
    """Fail if any of the secrets is anywhere in what left.

    Raises:
        AssertionError: names each secret that was found, and its form.
    """
    wanted = list(secrets)
    found = [leak for content in contents for leak in find_leaks(wanted, content)]
    if found:
        raise AssertionError(f"private and found: {'; '.join(dict.fromkeys(found))}")


@functools.lru_cache(maxsize=1024)
def encoded_forms(secret: str) -> Mapping[str, bytes]:
    """How a secret may be written: the form's name to the octets to look for.

    Raises:
        ValueError: it has fewer than :data:`SHORTEST` characters.
    """
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"a secret to search for has at least {MIN_SECRET_CHARACTERS} characters")
    octets = secret.encode()
    found = {
        "as it is": octets.lower(),
        "reversed": octets[::-1].lower(),
        "hexadecimal": octets.hex().encode(),
        "UTF-16, little": secret.encode("utf-16-le"),
        "UTF-16, big": secret.encode("utf-16-be"),
        "UTF-32, little": secret.encode("utf-32-le"),
        "UTF-32, big": secret.encode("utf-32-be"),
    }
    for shift in range(3):
        found |= _base64(octets, shift)
    return found


def _base64(octets: bytes, shift: int) -> dict[str, bytes]:
    """What stands in base64 text wherever the secret begins ``shift`` octets into a group of three: only the
    characters that its neighbours do not change."""
    usual = base64.b64encode(bytes(shift) + octets)
    first = (shift * 8 + 5) // 6
    last = (shift + len(octets)) * 8 // 6
    middle = usual[first:last]
    return {f"base64, {shift}": middle, f"base64 of URLs, {shift}": middle.translate(_URL_SAFE)}


def _to_bytes(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    if not isinstance(content, str):
        content = json.dumps(content, default=repr, ensure_ascii=False)
    return content.encode("utf-8", "surrogatepass")


def _decoded_layers(data: bytes, depth: int) -> Iterator[bytes]:
    """The data as it is and in lower case; then less one kind of escape, less all kinds, and once more less
    all kinds; and what is compressed in any of it."""
    layers = [data]
    for level in range(depth):
        stripped = [strip(layers[-1]) for strip in _DECODERS] if level == 0 else []
        whole = functools.reduce(lambda rest, strip: strip(rest), _DECODERS, layers[-1])
        layers += [*stripped, whole]
    for layer in dict.fromkeys(layers):
        yield layer
        yield layer.lower()
        if depth:
            for packed in _decompressed(layer):
                yield from _decoded_layers(packed, depth - 1)


def _decode_percent(data: bytes) -> bytes:
    return unquote_to_bytes(data) if b"%" in data else data


def _decode_escapes(data: bytes) -> bytes:
    return _ESCAPE.sub(_decode_escape, data) if b"\\" in data else data


def _decode_entities(data: bytes) -> bytes:
    if b"&" not in data:
        return data
    return html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _decode_quoted_printable(data: bytes) -> bytes:
    return quopri.decodestring(data) if b"=" in data else data


_DECODERS: Final = (_decode_percent, _decode_escapes, _decode_entities, _decode_quoted_printable)


def _decompressed(data: bytes) -> Iterator[bytes]:
    for start in _GZIP.finditer(data):
        with suppress(zlib.error):
            yield zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data[start.start() :])


def _decode_escape(escape: re.Match[bytes]) -> bytes:
    wide, narrow, itself = escape.groups()
    if itself is not None:
        return bytes(itself)
    return chr(int(wide or narrow, 16)).encode("utf-8", "surrogatepass")
