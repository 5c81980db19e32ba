"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The gate asks the same examples every time, so that a submission fails for what it changed. To look for new
# ones: `pytest --hypothesis-profile explore`, as often as you like; what it finds is pinned with @example.
settings.register_profile("gate", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("gate")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input files; the test is skipped, with the reason, where it is absent."""
    root = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("WHATWORKS_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not here: {folder} does not exist (set WHATWORKS_DATA)")
    return folder
