"""Bytes that fuzzing found or began with: what reads them takes each, in no time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fuzz_targets import TARGETS

CORPUS = Path(__file__).parent / "fuzzing"


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_found_is_taken(target: str) -> None:
    """`bench/fuzzing.py` looks for more; what it finds is made small and put into `tests/fuzzing/`."""
    found = sorted((CORPUS / target).iterdir())
    assert found
    began = time.process_time()
    for path in found:
        TARGETS[target](path.read_bytes())
    assert time.process_time() - began < 10


def test_the_corpus_is_small() -> None:
    """Bytes of our own, a few kilobytes."""
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert sum(sizes) < 32_768
