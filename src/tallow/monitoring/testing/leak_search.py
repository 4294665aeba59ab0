"""Search output for secrets in any encoding.

A scrubber cannot report what it missed. A search for planted secrets can: plant unique values, run the
application, and search everything that it sent.
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
"""Minimal length of a secret: shorter ones would be found by chance."""
MAX_DEPTH: Final = 3
"""How many levels of nested escapes and of nested compression are decoded."""

_GZIP: Final = re.compile(b"\x1f\x8b\x08")
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\]))")
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

Content = str | bytes | Mapping[Any, Any] | list[Any] | tuple[Any, ...]


def find_leaks(secrets: Iterable[str], content: Content) -> list[str]:
    """Find secrets in ``content``.

    They are found in any case, reversed, in hexadecimal, base64 (at any offset), UTF-16 and UTF-32; behind
    percent, JSON, Python, HTML and quoted-printable escapes; and in gzip-compressed parts.

    Args:
        secrets: the planted values.
        content: text, bytes, or nested mappings and sequences.

    Returns:
        The secrets that were found, each as ``SECRET (form)``.

    Raises:
        ValueError: a secret has fewer than 6 characters.

    Example::

        >>> find_leaks(["canary7f3a"], {"token": "63616e6172793766336100"})
        ['canary7f3a (hexadecimal)']
    """
    wanted = [
        (f"{secret} ({form})", shape) for secret in secrets for form, shape in encoded_forms(secret).items()
    ]
    found = [
        label
        for part in _decoded_layers(_to_bytes(content), MAX_DEPTH)
        for label, shape in wanted
        if shape in part
    ]
    return list(dict.fromkeys(found))


def find_leaks_in_files(secrets: Iterable[str], folder: Path) -> list[str]:
    """Find secrets in the names and contents of all files of a folder.

    Args:
        secrets: the planted values.
        folder: searched recursively.

    Returns:
        The secrets that were found, each as ``FILE: SECRET (form)``.

    Raises:
        ValueError: a secret has fewer than 6 characters.

    Example::

        >>> from pathlib import Path
        >>> _ = Path("app.log").write_text("opened canary7f3a")
        >>> find_leaks_in_files(["canary7f3a"], Path())
        ['app.log: canary7f3a (as it is)']
    """
    wanted, found = list(secrets), []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found += [f"{name}: {leak} in its name" for leak in find_leaks(wanted, path.name)]
        if path.is_file():
            found += [f"{name}: {leak}" for leak in find_leaks(wanted, path.read_bytes())]
    return found


def assert_absent(secrets: Iterable[str], *contents: Content) -> None:
    """Fail if any of the secrets is in any of the contents.

    Args:
        secrets: the planted values.
        contents: text, bytes, or nested mappings and sequences.

    Raises:
        AssertionError: names each secret that was found, and its form.
        ValueError: a secret has fewer than 6 characters.

    Example::

        >>> assert_absent(["canary7f3a"], "POST /upload 200", {"body": b"{}"})
    """
    wanted = list(secrets)
    found = [leak for content in contents for leak in find_leaks(wanted, content)]
    if found:
        raise AssertionError(f"found: {'; '.join(dict.fromkeys(found))}")


@functools.lru_cache(maxsize=1024)
def encoded_forms(secret: str) -> Mapping[str, bytes]:
    """Return the encodings of a secret, by their names.

    Raises:
        ValueError: the secret has fewer than :data:`MIN_SECRET_CHARACTERS` characters.
    """
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise ValueError(
            f"a secret has {len(secret)} characters; accepted: at least {MIN_SECRET_CHARACTERS} characters"
        )
    encoded = secret.encode()
    found = {
        "as it is": encoded.lower(),
        "reversed": encoded[::-1].lower(),
        "hexadecimal": encoded.hex().encode(),
        "UTF-16, little": secret.encode("utf-16-le"),
        "UTF-16, big": secret.encode("utf-16-be"),
        "UTF-32, little": secret.encode("utf-32-le"),
        "UTF-32, big": secret.encode("utf-32-be"),
    }
    for shift in range(3):
        found |= _base64(encoded, shift)
    return found


def _base64(secret: bytes, shift: int) -> dict[str, bytes]:
    """Return the base64 characters of a secret that begins ``shift`` bytes after a group of three bytes.

    Characters at both ends that depend on the neighbouring bytes are left out.
    """
    standard = base64.b64encode(bytes(shift) + secret)
    first = (shift * 8 + 5) // 6
    last = (shift + len(secret)) * 8 // 6
    middle = standard[first:last]
    return {f"base64, {shift}": middle, f"base64 of URLs, {shift}": middle.translate(_URL_SAFE)}


def _to_bytes(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    if not isinstance(content, str):
        content = json.dumps(content, default=repr, ensure_ascii=False)
    return content.encode("utf-8", "surrogatepass")


def _decoded_layers(data: bytes, depth: int) -> Iterator[bytes]:
    """Yield every decoded form of the data, in its own and in lower case.

    First the data itself, then with each kind of escape decoded, then with all kinds decoded repeatedly, and
    the decompressed parts of all of these.
    """
    layers = [data]
    for level in range(depth):
        decoded = [decode(layers[-1]) for decode in _DECODERS] if level == 0 else []
        whole = functools.reduce(lambda rest, decode: decode(rest), _DECODERS, layers[-1])
        layers += [*decoded, whole]
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
    unicode_digits, byte_digits, character = escape.groups()
    if character is not None:
        return bytes(character)
    return chr(int(unicode_digits or byte_digits, 16)).encode("utf-8", "surrogatepass")
