"""No planted metadata survives, and pixels are unchanged."""

from __future__ import annotations

import resource
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageSequence
from PIL.ExifTags import IFD, Base

from support.registries import tallow_metrics
from support.transfers import pictures
from support.transfers.pictures import LATITUDE, ORIENTED, PLANTED, canvas, frames, jpeg, png, saved, webp
from support.transfers.source_files import collect_files
from tallow.app.files.source_file import SourceFile
from tallow.app.metadata import png as pngs
from tallow.app.metadata.strip import MetadataError, strip, strip_all
from tallow.monitoring.testing import captured_logs

RATIONALS = [struct.pack(order + "II", int(part * 2), 2) for order in "<>" for part in LATITUDE]

LOADED: dict[str, Callable[[], bytes]] = {
    "baseline.jpg": jpeg,
    "progressive.jpg": lambda: jpeg(progressive=True),
    "grey.jpg": lambda: jpeg(canvas("L")),
    "cmyk.jpg": lambda: jpeg(canvas("CMYK")),
    "restart.jpg": lambda: jpeg(restart_marker_blocks=2),
    "full_colour.jpg": lambda: jpeg(quality=100, subsampling=0, optimize=True),
    "alpha.png": png,
    "palette.png": lambda: png(canvas("P")),
    "grey.png": lambda: png(canvas("L")),
    "deep.png": lambda: png(canvas("I").convert("I;16")),
    "animated.png": lambda: frames(png),
    "lossy.webp": lambda: webp(canvas("RGB")),
    "alpha.webp": webp,
    "lossless.webp": lambda: webp(lossless=True),
    "animated.webp": lambda: frames(webp),
}


def stripped(folder: Path, name: str, data: bytes) -> bytes:
    """The file as it would be sent."""
    cleaned = strip(chosen(folder, name, data), copies(folder))
    assert cleaned.name == name
    return cleaned.read(0, cleaned.size)


def chosen(folder: Path, name: str, data: bytes) -> SourceFile:
    (folder / name).write_bytes(data)
    return collect_files([folder / name])[0]


def copies(folder: Path) -> Path:
    (folder / "copies").mkdir(exist_ok=True)
    return folder / "copies"


def shown(data: bytes) -> list[tuple[str, tuple[int, int], bytes, Any]]:
    """Pixels and durations of a picture's frames."""
    with Image.open(BytesIO(data)) as picture:
        return [
            (frame.mode, frame.size, frame.tobytes(), frame.info.get("duration"))
            for frame in ImageSequence.Iterator(picture)
        ]


def unpacked(data: bytes) -> bytes:
    """A PNG's bytes with its compressed texts and profile readable."""
    found, at = data, 8
    while data.startswith(pngs.SIGNATURE) and at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in {b"iCCP", b"zTXt"}:
            found += zlib.decompress(data[at + 8 : at + 8 + size].partition(b"\0")[2][1:])
        at += 12 + size
    return found


def with_chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    plain = saved(canvas(), "PNG")
    return plain[:33] + pictures.chunk(kind, content) + plain[33:]


@pytest.fixture(params=LOADED)
def loaded(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return request.param, LOADED[request.param]()


def test_the_test_pictures_have_metadata(loaded: tuple[str, bytes]) -> None:
    _, data = loaded
    assert data.count(PLANTED) > 5
    with Image.open(BytesIO(data)) as picture:
        assert picture.getexif().get_ifd(IFD.GPSInfo)
    assert any(number in data for number in RATIONALS)


def test_no_planted_metadata_survives(tmp_path: Path, loaded: tuple[str, bytes]) -> None:
    data = unpacked(stripped(tmp_path, *loaded))
    assert PLANTED not in data
    assert PLANTED[:4] not in data
    assert "PLANTED".encode("utf-16-le") not in data
    for marker in (b"GPS", b"xmp", b"Photoshop", b"ftyp", *RATIONALS):
        assert marker not in data


def test_no_metadata_reader_finds_a_place(tmp_path: Path, loaded: tuple[str, bytes]) -> None:
    with Image.open(BytesIO(stripped(tmp_path, *loaded))) as picture:
        picture.load()
        found = picture.getexif()
        assert set(found) <= {Base.Orientation}
        assert not found.get_ifd(IFD.GPSInfo)
        assert not found.get_ifd(IFD.Exif)
        assert not {"xmp", "comment", "photoshop", "Comment", "Author", "timestamp_"} & set(picture.info)


def test_pixels_are_unchanged(tmp_path: Path, loaded: tuple[str, bytes]) -> None:
    name, data = loaded
    assert shown(stripped(tmp_path, name, data)) == shown(data)


def test_the_orientation_is_kept(tmp_path: Path, loaded: tuple[str, bytes]) -> None:
    with Image.open(BytesIO(stripped(tmp_path, *loaded))) as picture:
        assert picture.getexif()[Base.Orientation] == ORIENTED


def test_colours_are_unchanged(tmp_path: Path, loaded: tuple[str, bytes]) -> None:
    name, data = loaded
    with Image.open(BytesIO(data)) as before, Image.open(BytesIO(stripped(tmp_path, name, data))) as after:
        looks = [
            ImageCms.profileToProfile(
                canvas("RGB"),
                ImageCms.ImageCmsProfile(BytesIO(picture.info["icc_profile"])),
                ImageCms.createProfile("sRGB"),
            )
            for picture in (before, after)
        ]
    assert looks[0] is not None
    assert looks[1] is not None
    assert looks[0].tobytes() == looks[1].tobytes() != canvas("RGB").tobytes()


def test_stripping_a_stripped_picture_changes_nothing(tmp_path: Path, loaded: tuple[str, bytes]) -> None:
    name, data = loaded
    clean = chosen(tmp_path, name, stripped(tmp_path, name, data))
    assert strip(clean, copies(tmp_path)) is clean


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_without_metadata_is_sent_unchanged(tmp_path: Path, kind: str) -> None:
    picture = chosen(tmp_path, f"x.{kind.lower()}", saved(canvas(), kind))
    assert strip(picture, copies(tmp_path)) is picture
    assert list(copies(tmp_path).iterdir()) == []


def test_an_upright_picture_keeps_no_exif(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        data = stripped(tmp_path, f"x.{kind.lower()}", saved(canvas(), kind, exif=pictures.exif(1)))
        assert b"xif" not in data.lower()[:200]
        assert b"EXIF" not in data


def test_only_the_first_of_two_pictures_is_sent(tmp_path: Path) -> None:
    second = canvas(seed=2)
    pair = saved(canvas(), "MPO", save_all=True, append_images=[second], exif=pictures.exif(), quality=90)
    data = stripped(tmp_path, "x.jpg", pair)
    assert PLANTED not in data
    assert b"MPF" not in data
    assert shown(data) == shown(pair)[:1]


def test_a_text_in_a_colour_tag_is_removed(tmp_path: Path) -> None:
    profile = bytearray(pictures.profile())
    at = profile.index(b"rTRC", 132)
    text = b"text" + bytes(4) + PLANTED
    struct.pack_into(">II", profile, at + 4, len(profile), len(text))
    profile += text
    for kind in ("JPEG", "PNG", "WEBP"):
        data = stripped(tmp_path, f"x.{kind.lower()}", saved(canvas(), kind, icc_profile=bytes(profile)))
        assert PLANTED not in unpacked(data)


def test_only_the_first_profile_and_exif_of_a_png_count(tmp_path: Path) -> None:
    data = saved(canvas(), "PNG", exif=pictures.exif(), icc_profile=pictures.profile())
    second = pictures.chunk(b"eXIf", pictures.exif(3)) + pictures.chunk(
        b"iCCP", b"x\0\0" + zlib.compress(PLANTED)
    )
    cleaned = stripped(tmp_path, "x.png", data[:-12] + second + data[-12:])
    assert (cleaned.count(b"eXIf"), cleaned.count(b"iCCP")) == (1, 1)
    assert cleaned == stripped(tmp_path, "y.png", data)


def test_more_files_than_descriptors_are_stripped(tmp_path: Path) -> None:
    files = [chosen(tmp_path, f"{number}.txt", b"text") for number in range(300)]
    kept = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, kept[1]))
    try:
        assert strip_all(files, copies(tmp_path), tallow_metrics()) == files
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, kept)


def test_unreadable_exif_is_removed(tmp_path: Path) -> None:
    broken = b"Exif\0\0MM\0*" + b"\xff" * 40 + PLANTED
    assert PLANTED not in stripped(tmp_path, "x.jpg", saved(canvas(), "JPEG", exif=broken))


def test_a_profile_in_several_segments_is_kept(tmp_path: Path) -> None:
    large = bytearray(pictures.profile())
    count = int.from_bytes(large[128:132], "big")
    names = [bytes(large[at : at + 4]) for at in range(132, 132 + 12 * count, 12)]
    assert b"rTRC" in names
    at = 132 + 12 * names.index(b"rTRC")
    curve = (
        b"curv"
        + bytes(4)
        + (40_000).to_bytes(4, "big")
        + b"".join(struct.pack(">H", step * 65535 // 39_999) for step in range(40_000))
    )
    struct.pack_into(">II", large, at + 4, len(large), len(curve))
    large += curve
    struct.pack_into(">I", large, 0, len(large))
    data = stripped(tmp_path, "x.jpg", saved(canvas(), "JPEG", icc_profile=bytes(large)))
    with Image.open(BytesIO(data)) as picture:
        assert curve in picture.info["icc_profile"]
    assert PLANTED not in data


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    for name in ("x", "x.txt", "x.png"):
        assert PLANTED not in stripped(tmp_path, name, jpeg())


def test_other_files_are_sent_unchanged(tmp_path: Path) -> None:
    for name, data in (("x.txt", PLANTED), ("x.pdf", b"%PDF-1.7" + PLANTED), ("x", b""), ("empty.jpg", b"")):
        source = chosen(tmp_path, name, data)
        assert strip(source, copies(tmp_path)) is source


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("x.jpg", b"no picture", "it is not a JPEG file"),
        ("x.PNG", b"no picture", "it is not a PNG file"),
        ("x.webp", b"RIFF1234WAVE", "it is not a WebP file"),
        ("x.jpg", jpeg()[:900], "broken JPEG"),
        ("x.png", png()[:900], "broken PNG"),
        ("x.webp", webp()[:900], "broken WebP"),
        ("x.png", png().replace(b"IHDR", b"IHDX", 1), "broken PNG"),
        ("x.png", png(canvas("L"))[:-60] + b"!" + png(canvas("L"))[-59:], "broken PNG"),
        ("x.webp", b"RIFF\x04\0\0\0WEBP", "broken WebP"),
        ("x.jpg", b"\xff\xd8\xff\xd9", "broken JPEG"),
        ("x.png", with_chunk(b"gAMA", PLANTED), "broken PNG"),
        ("x.png", with_chunk(b"pHYs", PLANTED * 2), "broken PNG"),
    ],
)
def test_a_broken_picture_is_refused_with_advice(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    with pytest.raises(MetadataError) as caught:
        stripped(tmp_path, name, data)
    assert str(caught.value) == (
        f"the metadata of {name} cannot be removed ({why}); --keep-metadata sends files as they are"
    )
    assert list(copies(tmp_path).iterdir()) == []


def test_a_picture_beyond_the_size_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff")
    with (tmp_path / "x.jpg").open("r+b") as sparse:
        sparse.truncate((256 << 20) + 1)
    with pytest.raises(MetadataError, match="larger than 256 MiB"):
        strip(collect_files([tmp_path / "x.jpg"])[0], copies(tmp_path))


def test_results_are_counted(tmp_path: Path) -> None:
    metrics = tallow_metrics()
    files = {"a.jpg": jpeg(), "b.webp": webp(), "plain.png": saved(canvas(), "PNG"), "c.txt": b"text"}
    sources = [chosen(tmp_path, name, data) for name, data in files.items()]
    with captured_logs() as logs:
        cleaned = strip_all(sources, copies(tmp_path), metrics)
    assert [source.name for source in cleaned] == list(files)
    assert (logs.last["message"], logs.last["files"], logs.last["outcome"]) == (
        "Metadata cleaned",
        4,
        "success",
    )
    assert logs.last["duration_ms"] > 0
    assert "a.jpg" not in logs.text
    assert [one is other for one, other in zip(cleaned, sources, strict=True)] == [False, False, True, True]
    broken = chosen(tmp_path, "d.jpg", b"?")
    with pytest.raises(MetadataError):
        strip_all([broken, *sources], copies(tmp_path), metrics)
    value = metrics.registry.value
    assert value("metadata_stripped_total", file_type="image", status="success") == 2
    assert value("metadata_stripped_total", file_type="image", status="failed") == 1


def test_stripping_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    picture = chosen(tmp_path, "x.jpg", jpeg())
    first, second = (strip(picture, copies(tmp_path)) for _ in range(2))
    assert first.path != second.path
    assert first.path.read_bytes() == second.path.read_bytes() != picture.path.read_bytes()
