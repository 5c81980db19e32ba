"""What leaves the house: the wheel holds what it should, nothing else, and works elsewhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from whatworks_eval.errors import DataError, ProtocolError
from whatworks_eval.shipped import Shipped, list_shipped, shipped_path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("whatworks_eval", "designs", "datasets")
LARGEST = 1_500_000  # bytes of any file in the wheel
DEMO = ROOT / "datasets" / "simulated-neighbourhoods"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def in_the_checkout() -> set[str]:
    """Files of the package, the designs and the datasets that git has or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *FOLDERS],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


def test_the_wheel_holds_the_package_the_designs_and_the_datasets(wheel: Path) -> None:
    """Its list of files is git's, with designs and datasets inside the package."""
    expected = {
        name if name.startswith("whatworks_eval/") else f"whatworks_eval/{name}" for name in in_the_checkout()
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        sizes = {item.filename: item.file_size for item in archive.infolist()}
        entry = next(archive.read(name).decode() for name in sizes if name.endswith("entry_points.txt"))
    assert held == expected
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert "whatworks = whatworks_eval.cli:main" in entry


def test_no_real_data_ride_along(wheel: Path, shared_data: Path) -> None:
    """No file in the wheel is, byte for byte, one of the real files."""
    real = {sha256(path.read_bytes()).hexdigest() for path in shared_data.rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name: sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert {name for name, digest in held.items() if digest in real} == set()


@pytest.mark.slow
def test_the_wheel_works_where_the_checkout_is_not(wheel: Path, tmp_path: Path) -> None:
    """Installed in another place, `whatworks demo` runs from an empty folder and writes its report."""
    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--target",
            site,
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    environment = os.environ | {"PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "import whatworks_eval; print(whatworks_eval.__file__)"],
        cwd=away,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site)
    done = subprocess.run(
        [sys.executable, "-m", "whatworks_eval", "demo"],
        cwd=away,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SIMULATED DATA" in done.stdout
    assert (away / "out" / "simulated-neighbourhoods" / "report.html").stat().st_size > 10_000


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The program that makes the demo's data."""
    spec = importlib.util.spec_from_file_location("generate_simulated", DEMO / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_simulated_data_are_what_their_generator_makes(generator: ModuleType) -> None:
    """The same seed gives the same bytes as are shipped."""
    import gzip

    for name, made in generator.files().items():
        packed = DEMO / f"{name}.gz"
        shipped = gzip.decompress(packed.read_bytes()) if packed.exists() else (DEMO / name).read_bytes()
        assert shipped == made, name


def test_the_dataset_says_what_the_generator_did(generator: ModuleType) -> None:
    """Seed, true effect, columns and checksum in dataset.toml are those of the generator and the file."""
    about = tomllib.loads((DEMO / "dataset.toml").read_text("utf-8"))
    assert about["simulated"] is True
    assert (about["seed"], about["true_effect_percent"]) == (generator.SEED, generator.TRUE_EFFECT_PERCENT)
    assert tuple(about["columns"]) == generator.COLUMNS
    assert about["sha256"] == sha256((DEMO / about["data"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("item", list_shipped("datasets"), ids=lambda item: item.name)
def test_every_dataset_says_where_it_comes_from(item: Shipped) -> None:
    """Title, source and licence, and a page for people, beside every dataset."""
    about = tomllib.loads((item.path / "dataset.toml").read_text("utf-8"))
    assert all(str(about.get(key, "")).strip() for key in ("title", "source", "licence"))
    assert (item.path / "README.md").is_file()


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "..", "", "simulated-neighbourhoods/../x"])
def test_a_name_cannot_climb_out(name: str) -> None:
    """Shipped things are found by name among what is there, never by path."""
    with pytest.raises(DataError):
        shipped_path("datasets", name)


def test_a_slip_in_a_name_is_answered_with_the_name_meant() -> None:
    """Designs and datasets say which they are, and which was meant."""
    with pytest.raises(
        ProtocolError, match=r"no design called 'police-now' .* did you mean 'police-now-2016'"
    ):
        shipped_path("designs", "police-now")
    with pytest.raises(DataError, match="did you mean 'simulated-neighbourhoods'"):
        shipped_path("datasets", "simulated-neighborhoods")
