"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input files; the test is skipped, with the reason, where it is absent."""
    root = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("WHATWORKS_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not here: {folder} does not exist (set WHATWORKS_DATA)")
    return folder
