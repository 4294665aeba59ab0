"""Generated files of the kinds that people send."""

from __future__ import annotations

import os
import random
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tallow.app.demo.plan import TransferPlan

NAMES: Final = {
    "picture": ("beach.jpg", "sketch.png", "poster.webp"),
    "video": ("birthday.mp4", "talk.webm"),
    "audio": ("song.mp3", "interview.ogg"),
    "text": ("notes.txt", "table.csv"),
    "document": ("report.pdf", "backup.zip", "disk.bin"),
}
FORMATS: Final[dict[str, dict[str, Any]]] = {
    ".jpg": {"format": "JPEG", "quality": 100, "subsampling": 0},
    ".png": {"format": "PNG"},
    ".webp": {"format": "WEBP", "lossless": True},
}
BLOCK: Final = 1 << 20
LARGEST_PICTURE: Final = 8_000_000


def make_files(plan: TransferPlan, folder: Path, chance: random.Random) -> list[Path]:
    """Make the files of a transfer, of its size in total; pictures have about that size. Blocks."""
    if plan.scenario == "broken_picture":
        broken = folder / "broken.jpg"
        broken.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(5000))
        return [broken]
    if plan.scenario != "plain":  # these scenarios need one file of the planned size
        return [_file("document", plan.size, folder, chance)]
    if plan.content == "several":
        return [_folder(plan.size, folder / "trip", chance)]
    return [_file(plan.content, plan.size, folder, chance)]


def _folder(size: int, folder: Path, chance: random.Random) -> Path:
    below = folder / "day 1"
    below.mkdir(parents=True)
    for number, kind in enumerate(("picture", "audio", "text", "document")):
        _file(kind, size // 4, below if number % 2 else folder, chance)
    return folder


def _file(kind: str, size: int, folder: Path, chance: random.Random) -> Path:
    path = folder / chance.choice(NAMES[kind])
    if kind == "picture":
        path.write_bytes(picture(min(size, LARGEST_PICTURE), FORMATS[path.suffix]))
        return path
    with path.open("wb") as file:
        for at in range(0, size, BLOCK):
            file.write(os.urandom(min(BLOCK, size - at)))
    return path


def picture(size: int, how: dict[str, Any]) -> bytes:
    """A picture of noise with about ``size`` bytes, with EXIF that holds a place and an author."""
    side = max(8, int((size / 3) ** 0.5))
    noise = Image.frombytes("RGB", (side, side), os.urandom(side * side * 3))
    exif = Image.Exif()
    exif[Base.Artist] = "Demo"
    exif[Base.Orientation] = 6
    place = exif.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitudeRef], place[GPS.GPSLatitude] = "N", (0.0, 0.0, 0.0)
    place[GPS.GPSLongitudeRef], place[GPS.GPSLongitude] = "E", (0.0, 0.0, 0.0)
    out = BytesIO()
    noise.save(out, exif=exif.tobytes(), **how)
    return out.getvalue()
