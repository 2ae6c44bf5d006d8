"""What kind of image some bytes are, told by the bytes alone: their type, their size in pixels, and whether they are whole.

Nothing is decoded. An image that decodes to gigabytes costs its header here, and no decoder meets hostile bytes.
"""

from __future__ import annotations

from io import BytesIO

import imagesize

from uknip_crawler.errors import MediaRefused
from uknip_crawler.models import Media

_OPENINGS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"} | dict.fromkeys(
    (b"GIF87a", b"GIF89a"), "image/gif"
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_MAX_BRANDS_BYTES = 256
_MAX_BOXES = 64


def examine(body: bytes, *, max_pixels: int) -> Media:
    """Return what an image is: JPEG, PNG, GIF, WebP or AVIF. SVG is a program in disguise.

    Raises MediaRefused when it is something else, cut short, or of too many pixels.
    """
    media_type = _media_type(body)
    if media_type is None:
        raise MediaRefused(f"not an image of a type that is kept: begins with {body[:16]!r}")
    if not _is_whole(body, media_type):
        raise MediaRefused(f"{media_type} that ends before its end")
    try:
        # without the EXIF turn: the reader follows it through as many detours as a hostile file likes
        width, height = imagesize.get(BytesIO(body), exif_rotation=False)
    except Exception as error:  # noqa: BLE001  # whatever a reader of headers stumbles over
        raise MediaRefused(f"{media_type} without a size that can be read: {error}") from None
    if width < 1 or height < 1:
        raise MediaRefused(f"{media_type} without a size that can be read")
    if width * height > max_pixels:
        raise MediaRefused(f"{media_type} of {width:,} x {height:,} pixels, more than {max_pixels:,} in all")
    return Media(media_type, width, height)


def _media_type(body: bytes) -> str | None:
    """Tell a type by its signature (https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern)."""
    for opening, media_type in _OPENINGS.items():
        if body.startswith(opening):
            return media_type
    if body[:4] == b"RIFF" and body[8:14] == b"WEBPVP":
        return "image/webp"
    if body[4:8] == b"ftyp":
        end = min(int.from_bytes(body[:4], "big"), _MAX_BRANDS_BYTES)
        brands = {body[start : start + 4] for start in (8, *range(16, end, 4))}
        return "image/avif" if brands & _AVIF_BRANDS else None
    return None


def _is_whole(body: bytes, media_type: str) -> bool:
    """Tell whether a file reaches its own end. What follows that end is nobody's business: cameras append things."""
    if media_type == "image/jpeg":  # ITU T.81 B.1.1: a scan starts with FF DA, the image ends with FF D9
        scan = body.rfind(b"\xff\xda")
        return scan > 0 and body.find(b"\xff\xd9", scan) > 0
    if media_type == "image/png":
        return body.rfind(b"IEND\xaeB`\x82") > 0
    if media_type == "image/gif":
        return body.rstrip(b"\0\r\n").endswith(b";")
    if media_type == "image/webp":
        return len(body) >= 8 + int.from_bytes(body[4:8], "little")
    return _boxes_end(body) <= len(body)


def _boxes_end(body: bytes) -> int:
    """Return where the outermost boxes of an AVIF file say they end (ISO/IEC 14496-12 §4.2)."""
    end = 0
    for _ in range(_MAX_BOXES):
        size = int.from_bytes(body[end : end + 4], "big")
        if size == 1:
            size = int.from_bytes(body[end + 8 : end + 16], "big")
        if size < 8:  # 0: up to the end of the file
            break
        end += size
    return end
