"""Stripping takes linear time and bounded memory for all input.

Work is counted, not timed: bytes read from the file, bytes searched for markers, segments and chunks.
"""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.transfers.pictures import chunk, riff, segment
from support.transfers.pictures import jpeg as a_jpeg
from support.transfers.pictures import png as a_png
from support.transfers.pictures import webp as a_webp
from support.transfers.source_files import collect_files
from tallow.app.files.errors import StoppedError
from tallow.app.metadata import jpeg, png, webp
from tallow.app.metadata.copy_plan import CopyPlan
from tallow.app.metadata.errors import BrokenImageError, ImageLimitError
from tallow.app.metadata.icc import MAX_PROFILE
from tallow.app.metadata.reader import BLOCK, MAX_PARTS, ImageReader
from tallow.app.metadata.strip import MetadataError, strip

Clean = Callable[[ImageReader], CopyPlan]
CLEANERS: dict[str, Clean] = {"jpeg": jpeg.clean, "png": png.clean, "webp": webp.clean}

IHDR = png.SIGNATURE + chunk(b"IHDR", bytes(13))
IEND = chunk(b"IEND", b"")
SCAN = segment(0xDA, b"ab")
"""A scan's header; entropy-coded data follows."""
MIB = 1 << 20


def reader(data: bytes) -> ImageReader:
    return ImageReader(lambda offset, length: data[offset : offset + length], len(data))


def work(clean: Clean, data: bytes) -> ImageReader:
    """Strip bytes and copy the result; returns the reader with its counters."""
    image = reader(data)
    try:
        plan = clean(image)
        plan.is_whole(image)
        assert sum(map(len, plan.contents(image))) == plan.size
        assert plan.size <= len(data) + MAX_PROFILE
    except BrokenImageError:
        pass
    return image


def assert_linear(image: ImageReader) -> None:
    """Each byte is read for the structure, for a checksum, for the comparison and for the copy, and searched
    once for the next marker."""
    assert image.bytes_read <= 5 * image.size + 2 * BLOCK
    assert image.bytes_searched <= 2 * image.size + 2 * image.parts
    assert image.parts <= MAX_PARTS + 1


@cache
def originals(kind: str) -> bytes:
    return {"jpeg": a_jpeg, "png": a_png, "webp": a_webp}[kind]()


def webp_of(body: bytes) -> bytes:
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body


def many(unit: bytes, size: int | None = None) -> bytes:
    """A unit repeated: over several blocks if that is one search, over half a block if it is a part each."""
    return unit * ((size or (3 * MIB if len(unit) <= 2 else MIB // 2)) // len(unit))


TOO_MANY = MAX_PARTS * 12
"""Bytes of more parts than are read: the smallest chunk has 12."""


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "the reported file": ("jpeg", lambda: bytes.fromhex("ffd8ffda00046162") + b"\xff" * 400_000),
    "fill bytes in a scan": ("jpeg", lambda: b"\xff\xd8" + SCAN + many(b"\xff")),
    "fill bytes before the end": ("jpeg", lambda: b"\xff\xd8" + SCAN + many(b"\xff") + b"\xff\xd9"),
    "stuffed bytes": ("jpeg", lambda: b"\xff\xd8" + SCAN + many(b"\xff\0") + b"\xff\xd9"),
    "restart markers": ("jpeg", lambda: b"\xff\xd8" + SCAN + many(b"\xff\xd0") + b"\xff\xd9"),
    "fill bytes, no scan": ("jpeg", lambda: b"\xff\xd8" + many(b"\xff")),
    "bare markers": ("jpeg", lambda: b"\xff\xd8" + many(b"\xff\x01")),
    "empty segments": ("jpeg", lambda: b"\xff\xd8" + many(segment(0xDB, b""))),
    "empty scans": ("jpeg", lambda: b"\xff\xd8" + many(segment(0xDA, b"")) + b"\xff\xd9"),
    "kept and dropped in turn": ("jpeg", lambda: b"\xff\xd8" + many(segment(0xDB, b"") + segment(0xFE, b""))),
    "headers of every kind": (
        "jpeg",
        lambda: b"\xff\xd8" + many(segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")) + SCAN + b"\xff\xd9",
    ),
    "empty chunks": ("png", lambda: IHDR + many(chunk(b"tEXt", b"")) + IEND),
    "empty picture data": ("png", lambda: IHDR + many(chunk(b"IDAT", b"")) + IEND),
    "long texts": (
        "png",
        lambda: IHDR + many(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 * MIB), 9)), 6 * MIB) + IEND,
    ),
    "profiles that unpack to much": (
        "png",
        lambda: IHDR + many(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(MAX_PROFILE), 9))) + IEND,
    ),
    "EXIF that lies about its length": (
        "png",
        lambda: (
            IHDR
            + chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff" + many(b"\x12\x01\x02\0\xff\xff\0\0\0\0\0\0"))
            + IEND
        ),
    ),
    "EXIF that points at itself": (
        "png",
        lambda: (
            IHDR + many(chunk(b"eXIf", b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0")) + IEND
        ),
    ),
    "a chunk longer than the file": ("png", lambda: IHDR + many(b"\x7f\xff\xff\xffIDAT")),
    "empty RIFF chunks": ("webp", lambda: webp_of(many(riff(b"VP8 ", b"")))),
    "odd RIFF chunks": ("webp", lambda: webp_of(many(riff(b"VP8 ", b"x")))),
    "a frame of empty chunks": (
        "webp",
        lambda: webp_of(riff(b"VP8X", bytes(10)) + riff(b"ANMF", bytes(16) + many(riff(b"ALPH", b"")))),
    ),
    "frames in frames": (
        "webp",
        lambda: webp_of(riff(b"VP8X", bytes(10)) + riff(b"ANMF", bytes(16) + many(riff(b"ANMF", bytes(16))))),
    ),
    "RIFF in RIFF": (
        "webp",
        lambda: webp_of(riff(b"VP8X", bytes(10)) + riff(b"RIFF", b"WEBP" + many(b"RIFF\0\0\1\0WEBP"))),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_linear_work(name: str) -> None:
    kind, make = HOSTILE[name]
    assert_linear(work(CLEANERS[kind], make()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "the reported file",
        "fill bytes in a scan",
        "kept and dropped in turn",
        "long texts",
        "profiles that unpack to much",
        "EXIF that lies about its length",
        "odd RIFF chunks",
    ],
)
def test_a_hostile_file_costs_bounded_memory(name: str) -> None:
    kind, make = HOSTILE[name]
    data = make()
    tracemalloc.start()
    try:
        work(CLEANERS[kind], data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_PROFILE  # and no more for more bytes, but for 200 a part


@pytest.mark.parametrize(
    ("kind", "make", "why"),
    [
        ("jpeg", HOSTILE["bare markers"][1], "it has more than 200000 parts"),
        ("png", lambda: IHDR + many(chunk(b"tEXt", b""), TOO_MANY), "it has more than 200000 parts"),
        ("webp", lambda: webp_of(many(riff(b"VP8 ", b""), TOO_MANY)), "it has more than 200000 parts"),
        (
            "png",
            lambda: IHDR + chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(64 * MIB), 9)) + IEND,
            "its colour profile is larger than 4 MiB",
        ),
        (
            "png",
            lambda: IHDR + chunk(b"iCCP", bytes(5 * MIB)) + IEND,
            "its colour profile is larger than 4 MiB",
        ),
        (
            "webp",
            lambda: webp_of(riff(b"VP8X", bytes(10)) + riff(b"ICCP", bytes(5 * MIB)) + riff(b"VP8L", b"")),
            "its colour profile is larger than 4 MiB",
        ),
        (
            "jpeg",
            lambda: (
                b"\xff\xd8" + segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(60_000)) * 80 + SCAN + b"\xff\xd9"
            ),
            "its colour profile is larger than 4 MiB",
        ),
        (
            "jpeg",
            lambda: b"\xff\xd8" + segment(0xE2, b"ICC_PROFILE\0\1\1") * 300 + SCAN + b"\xff\xd9",
            "its colour profile is larger than 4 MiB",
        ),
    ],
)
def test_a_file_beyond_a_limit_is_refused_with_the_limit(
    tmp_path: Path, kind: str, make: Callable[[], bytes], why: str
) -> None:
    (tmp_path / "copies").mkdir()
    path = tmp_path / f"x.{kind}"
    path.write_bytes(make())
    with pytest.raises(MetadataError) as caught:
        strip(collect_files([path])[0], tmp_path / "copies")
    assert str(caught.value) == (
        f"the metadata of x.{kind} cannot be removed ({why}); --keep-metadata sends files as they are"
    )
    assert list((tmp_path / "copies").iterdir()) == []


def test_overlapping_profile_tags_do_not_multiply() -> None:
    names = b"wtpt bkpt chad rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC lumi A2B0 A2B1 A2B2 B2A0 B2A1 B2A2".split()
    content = b"".join(b"curv" + number.to_bytes(4, "big") for number in range(MIB // 8))
    first = 132 + 12 * len(names)
    table = b"".join(
        name + (first + 8 * at).to_bytes(4, "big") + (len(content) - 8 * len(names)).to_bytes(4, "big")
        for at, name in enumerate(names)
    )
    head = bytearray(128)
    head[36:40] = b"acsp"
    profile = bytes(head) + len(names).to_bytes(4, "big") + table + content
    image = reader(IHDR + chunk(b"iCCP", b"a\0\0" + zlib.compress(profile)) + IEND)
    assert png.clean(image).size == len(IHDR + IEND)


@pytest.mark.parametrize("kind", CLEANERS)
@given(data=st.data())
def test_work_is_linear_for_mutated_pictures(kind: str, data: st.DataObject) -> None:
    """A real picture with bytes changed, pieces repeated and its end cut off: it is cleaned, or broken."""
    whole = bytearray(originals(kind))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(3, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(3, len(whole) - 1))
    length = data.draw(st.integers(1, 64))
    whole[start:start] = whole[start : start + length] * data.draw(st.integers(0, 2_000))
    cut = bytes(whole[: data.draw(st.integers(16, len(whole)))])
    assert_linear(work(CLEANERS[kind], cut))


UNITS = {
    "jpeg": [
        b"\xff",
        b"\xff\0",
        b"\xff\xd0",
        b"\xff\x01",
        b"\0",
        SCAN,
        segment(0xDB, b"x"),
        segment(0xE2, b""),
    ],
    "png": [chunk(b"tEXt", b""), chunk(b"IDAT", b"x"), chunk(b"eXIf", b"MM\0*"), bytes(12), b"\xff" * 12],
    "webp": [riff(b"VP8 ", b""), riff(b"ANMF", bytes(16)), riff(b"EXIF", b"II*\0"), riff(b"RIFF", b"WEBP")],
}
STARTS = {"jpeg": b"\xff\xd8", "png": IHDR, "webp": b"RIFF\0\0\1\0WEBP" + riff(b"VP8X", bytes(10))}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLEANERS)
@given(data=st.data())
def test_work_is_linear_for_combined_parts(kind: str, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.tuples(st.sampled_from(UNITS[kind]), st.integers(1, 3_000)), max_size=8))
    body = b"".join(unit * count for unit, count in parts)
    assert_linear(work(CLEANERS[kind], STARTS[kind] + body))


def test_stripping_stops_within_a_block(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8" + SCAN + many(b"\xff\0", 20 * MIB) + b"\xff\xd9" + b"end")
    (tmp_path / "copies").mkdir()
    for blocks in (0, 1, 10, 30):
        asked: list[None] = []

        def stopped(blocks: int = blocks, asked: list[None] = asked) -> bool:
            asked.append(None)
            return len(asked) > blocks

        with pytest.raises(StoppedError):
            strip(collect_files([tmp_path / "x.jpg"])[0], tmp_path / "copies", stopped)
        assert len(asked) == blocks + 1
        assert list((tmp_path / "copies").iterdir()) == []


def test_a_limit_differs_from_a_broken_file() -> None:
    with pytest.raises(ImageLimitError):
        png.clean(reader(IHDR + many(chunk(b"tEXt", b""), TOO_MANY)))
    with pytest.raises(BrokenImageError, match="broken PNG"):
        png.clean(reader(IHDR))
