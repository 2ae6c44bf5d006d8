"""From a page's bytes to its text: valid UTF-8 is UTF-8, whatever it claims."""

from __future__ import annotations

from codecs import getincrementaldecoder

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, resolve_encoding

_PIECE = 1 << 12
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_MARKS = tuple(bom for bom, _ in _BOMS)
# text codecs that no page is written in and that are slow or executable in spirit
_STRANGE = frozenset({"punycode", "idna", "utf-7", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})


def as_utf8(data: bytes, content_type: str | None) -> tuple[bytes, tuple[str, ...]]:
    """Return the page in UTF-8, as it stands where it is that already, and a flag where its charset is in doubt."""
    if not data.startswith(_MARKS) and b"\0" not in data[:200] and _is_utf8(data):
        return data, ()
    text, flags = decode_text(data, content_type)
    return text.encode("utf-8", "replace"), flags


def decode_text(data: bytes, content_type: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the page's text and a flag where its charset is in doubt.

    Bytes that are valid UTF-8 are UTF-8 whatever they claim: other text is valid UTF-8 only by a freak.
    """
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(codec, "replace"), ()
    is_wide = b"\0" in data[:200]
    if not is_wide and (text := _utf8(data)) is not None:
        return text, ()
    declared = _codec(http_content_type_encoding(content_type)) or _codec(
        html_body_declared_encoding(data[:4096])
    )
    if declared and declared.startswith(("utf-16", "utf-32")) and is_wide:
        return data.decode(declared, "replace"), ()
    if (text := _utf8(data)) is not None:
        return text, ()
    if declared and declared != "utf-8" and not declared.startswith(("utf-16", "utf-32")):
        return data.decode(declared, "replace"), ()
    text = data.decode("utf-8", "replace")
    if 4 * text.count("\ufffd") < sum(char > "\x7f" for char in text):
        return text, ("charset_doubt",)
    return data.decode("cp1252", "replace"), ("charset_doubt",)


def _is_utf8(data: bytes) -> bool:
    """Tell whether bytes are UTF-8, a piece at a time: memory for the whole text costs more than its reading."""
    decode = getincrementaldecoder("utf-8")().decode
    try:
        for at in range(0, len(data), _PIECE):
            piece = data[at : at + _PIECE]
            decode(piece[:1] if piece.isascii() else piece)
        decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _codec(label: str | None) -> str | None:
    if not label:
        return None
    try:
        codec = resolve_encoding(label.strip()[:40])
        b"".decode(codec or "?")
    except (LookupError, ValueError):
        return None
    return None if codec is None or codec.replace("_", "-") in _STRANGE else codec
