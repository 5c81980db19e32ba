"""Boundaries of areas from a GeoJSON file, for a map: rings of points by area code."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatworks_eval.errors import DataError

Ring = NDArray[np.float64]
EARTH = 6_371_000.0  # metres


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlines:
    """Boundaries on a flat map.

    Attributes:
        name: Of the file.
        column: The property that holds the area code.
        rings: Area, then its rings: points × 2, metres east and north (from longitude and latitude: near
            enough for a picture, not for a distance).
    """

    name: str
    column: str
    rings: dict[str, tuple[Ring, ...]]


def read_outlines(path: Path, areas: Collection[str]) -> Outlines:
    """Outlines of those of these areas that the file holds.

    Args:
        path: GeoJSON, plain or gzipped; longitude and latitude, or metres.
        areas: Codes wanted.

    Raises:
        DataError: No such file, not GeoJSON, none of the areas in it, or a point that is no pair of numbers.
    """
    try:
        held = path.read_bytes()
        found = json.loads(gzip.decompress(held) if held[:2] == b"\x1f\x8b" else held)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give a GeoJSON file") from None
    except (ValueError, EOFError, gzip.BadGzipFile):
        raise DataError(f"{path}: is not GeoJSON; save the boundaries as .geojson") from None
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise DataError(f"{path}: holds no list of `features`; save the boundaries as .geojson")
    column = _code_column(features, set(areas))
    if column is None:
        some = next(iter(sorted(areas)), "")
        raise DataError(
            f"{path}: none of its properties holds the codes of the areas ('{some}' for one); give the "
            "boundaries of the same census and geography"
        )
    flat: dict[str, list[Ring]] = {}
    wanted = set(areas)
    for number, one in enumerate(features, start=1):
        code = str((one.get("properties") or {}).get(column, ""))
        if code in wanted:
            flat.setdefault(code, []).extend(_rings(one.get("geometry"), f"{path}, feature {number}"))
    return Outlines(name=path.name, column=column, rings=_in_metres(flat))


def _code_column(features: list[dict[str, Any]], areas: set[str]) -> str | None:
    """The property that names the most of these areas; None where none names any."""
    hits: dict[str, set[str]] = {}
    for one in features:
        properties = one.get("properties")
        for name, value in properties.items() if isinstance(properties, dict) else ():
            if str(value) in areas:
                hits.setdefault(str(name), set()).add(str(value))
    return min(hits, key=lambda name: (-len(hits[name]), name), default=None)


def _rings(geometry: Any, place: str) -> list[Ring]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        raise DataError(
            f"{place}: its geometry is not a Polygon or MultiPolygon; give boundaries, not points"
        )
    parts = geometry.get("coordinates")
    try:
        rings = [ring for polygon in ([parts] if kind == "Polygon" else parts) for ring in polygon]
        found = [np.array([point[:2] for point in ring], dtype=np.float64) for ring in rings]
    except (TypeError, ValueError):
        found = []
    for points in found:
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
            found = []
            break
    if not found:
        raise DataError(f"{place}: a ring is not a list of at least three points; mend the file")
    return found


def _in_metres(flat: dict[str, list[Ring]]) -> dict[str, tuple[Ring, ...]]:
    """Longitude and latitude laid flat around their middle; metres as they are."""
    every = np.concatenate([ring for rings in flat.values() for ring in rings])
    low, high = every.min(axis=0), every.max(axis=0)
    if (np.abs(every) <= (180.0, 90.0)).all():
        radian = math.pi / 180 * EARTH
        scale = np.array([radian * math.cos(math.radians(float(low[1] + high[1]) / 2)), radian])
        return {area: tuple(ring * scale for ring in rings) for area, rings in sorted(flat.items())}
    return {area: tuple(rings) for area, rings in sorted(flat.items())}
