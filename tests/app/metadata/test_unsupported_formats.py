"""The warning about files whose metadata is not removed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from support.transfers.pictures import canvas, exif, jpeg, png, saved, webp
from support.transfers.source_files import collect_files
from tallow.app.metadata.unsupported_formats import unstripped_warning, unsupported_format


def ftyp(brand: bytes) -> bytes:
    return (24).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + b"mif1heic"


def gif() -> bytes:
    out = BytesIO()
    canvas("P").save(out, "GIF", comment=b"a comment")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "format_name"),
    [
        ("IMG_1.HEIC", ftyp(b"heic"), "HEIC"),
        ("renamed.txt", ftyp(b"mif1"), "HEIC"),
        ("x.avif", saved(canvas(), "AVIF", exif=exif()) if "AVIF" in Image.SAVE else ftyp(b"avif"), "AVIF"),
        ("x.cr3", ftyp(b"crx "), "raw picture"),
        ("film.mov", ftyp(b"qt  "), "QuickTime"),
        ("film.mp4", ftyp(b"isom"), "MP4"),
        ("x.tif", saved(canvas(), "TIFF", exif=exif()), "TIFF or raw picture"),
        ("x.dng", b"MM\0*" + bytes(20), "TIFF or raw picture"),
        ("x.gif", gif(), "GIF"),
        ("x.jxl", b"\xff\x0a" + bytes(20), "JPEG XL"),
        ("x", b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        ("x.jp2", saved(canvas(), "JPEG2000"), "JPEG 2000"),
        ("x.psd", b"8BPS\0\1", "Photoshop"),
        ("x.mkv", b"\x1aE\xdf\xa3", "Matroska or WebM"),
        ("x.avi", b"RIFF\0\0\0\0AVI LIST", "AVI"),
        ("x.mp3", b"ID3\4", "MP3"),
        ("x.pdf", b"%PDF-1.7", "PDF"),
        ("x.docx", b"PK\3\4", "Office document"),
        ("x.svg", b"<svg/>", "image/svg+xml"),
        ("x.heic", b"what is this", "HEIC"),
    ],
)
def test_formats_with_kept_metadata_are_detected(
    tmp_path: Path, name: str, data: bytes, format_name: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert unsupported_format(collect_files([tmp_path / name])[0]) == format_name


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jpg", jpeg()),
        ("x.png", png()),
        ("x.webp", webp()),
        ("a picture", jpeg()),
        ("notes.txt", b"text"),
        ("x.zip", b"PK\3\4"),
        ("x.bin", bytes(40)),
        ("empty", b""),
    ],
)
def test_other_files_cause_no_warning(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert unstripped_warning(collect_files([tmp_path / name])) is None


def test_the_warning_names_three_files(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}\n.heic").write_bytes(ftyp(b"heic"))
    assert unstripped_warning(collect_files([tmp_path / f"{number}\n.heic" for number in range(5)])) == (
        "metadata (place, camera, author) is not removed from 0\N{REPLACEMENT CHARACTER}.heic (HEIC), "
        "1\N{REPLACEMENT CHARACTER}.heic (HEIC), 2\N{REPLACEMENT CHARACTER}.heic (HEIC) and 2 more; "
        "it is removed from JPEG, PNG and WebP only"
    )
