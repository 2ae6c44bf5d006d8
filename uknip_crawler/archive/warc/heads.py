"""HTTP heads to bytes and back without a loss: each character of a field stands for one byte (Latin-1, RFC 9110 §5.5).

warcio's own classes escape what is not ASCII on the way in, and guess at UTF-8 on the way out.
"""

from __future__ import annotations

from typing import IO

from warcio.statusandheaders import StatusAndHeaders

_BLANK = " \t"


class Head(StatusAndHeaders):  # type: ignore[misc]
    """A status or request line and its fields, written as they are."""

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        lines = [f"{self.protocol} {self.statusline}".strip(), *map(": ".join, self.headers), "", ""]
        self.headers_buff = "\r\n".join(lines).encode("latin-1")


class HeadParser:
    """Reads heads the way warcio asks its parsers to."""

    def parse(self, stream: IO[bytes]) -> Head:
        """Read a head up to its blank line. Lines that are no fields are left out, folded ones are joined by a blank
        (RFC 9112 §5.2). Raises EOFError where there is none."""
        first = _line(stream)
        if first is None:
            raise EOFError("no HTTP head")
        fields: list[tuple[str, str]] = []
        while line := _line(stream):
            name, colon, value = line.partition(":")
            if fields and line[0] in _BLANK:
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip(_BLANK)}")
            elif colon:
                fields.append((name.rstrip(_BLANK), value.strip(_BLANK)))
        protocol, _, status = first.partition(" ")
        return Head(status.strip(_BLANK), fields, protocol=protocol)


def _line(stream: IO[bytes]) -> str | None:
    line = stream.readline()
    return line.removesuffix(b"\n").removesuffix(b"\r").decode("latin-1") if line else None
