"""British National Grid metres from the longitude and latitude that satellites and police.uk use.

Source: Ordnance Survey, A guide to coordinate systems in Great Britain (v3.6): the seven-parameter
transformation of section 6.6 from WGS84 to OSGB36, which is good to about 5 m, and the Transverse
Mercator projection of annexe C on the Airy 1830 ellipsoid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WGS84 = (6_378_137.000, 6_356_752.3141)  # semi-major and semi-minor axes, metres
_AIRY_1830 = (6_377_563.396, 6_356_256.909)
_SHIFT = (-446.448, 125.157, -542.060)  # metres
_SCALE = 20.4894e-6
_ROTATION = np.radians(np.array([-0.1502, -0.2470, -0.8421]) / 3600.0)  # seconds of arc
_F0 = 0.9996012717  # scale factor on the central meridian
_LAT0, _LON0 = np.radians(49.0), np.radians(-2.0)
_E0, _N0 = 400_000.0, -100_000.0


def to_national_grid(longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.float64]:
    """Easting and northing in metres, one row a point; within about 5 m of the official transformation.

    Args:
        longitude: Degrees east, WGS84.
        latitude: Degrees north, WGS84.

    Source:
        Ordnance Survey, A guide to coordinate systems in Great Britain, section 6.6 and annexe C.

    Example:
        >>> to_national_grid([-0.09706], [51.5181]).round(-1).tolist()  # City of London 001A
        [[532130.0, 181620.0]]
    """
    lon, lat = _airy(np.radians(np.asarray(longitude, float)), np.radians(np.asarray(latitude, float)))
    return _projected(lon, lat)


def _airy(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """WGS84 longitude and latitude on the Airy 1830 ellipsoid, in radians."""
    a, b = _WGS84
    e2 = 1 - (b / a) ** 2
    nu = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    x, y, z = nu * np.cos(lat) * np.cos(lon), nu * np.cos(lat) * np.sin(lon), (1 - e2) * nu * np.sin(lat)
    (tx, ty, tz), (rx, ry, rz), s = _SHIFT, _ROTATION, 1 + _SCALE
    x, y, z = tx + s * x - rz * y + ry * z, ty + rz * x + s * y - rx * z, tz - ry * x + rx * y + s * z
    a, b = _AIRY_1830
    e2 = 1 - (b / a) ** 2
    p = np.hypot(x, y)
    phi = np.arctan2(z, p * (1 - e2))
    for _ in range(6):  # each step gains more than two digits; six leave nothing to gain
        nu = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        phi = np.arctan2(z + e2 * nu * np.sin(phi), p)
    return np.arctan2(y, x), phi


def _projected(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transverse Mercator on the Airy 1830 ellipsoid, with the guide's own names for its terms."""
    a, b = _AIRY_1830
    e2 = 1 - (b / a) ** 2
    n = (a - b) / (a + b)
    sin, cos, tan2 = np.sin(lat), np.cos(lat), np.tan(lat) ** 2
    nu = a * _F0 / np.sqrt(1 - e2 * sin**2)
    rho = a * _F0 * (1 - e2) / (1 - e2 * sin**2) ** 1.5
    eta2 = nu / rho - 1
    less, more = lat - _LAT0, lat + _LAT0
    m = (
        b
        * _F0
        * (
            (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * np.sin(less) * np.cos(more)
            + (15 / 8 * n**2 + 15 / 8 * n**3) * np.sin(2 * less) * np.cos(2 * more)
            - 35 / 24 * n**3 * np.sin(3 * less) * np.cos(3 * more)
        )
    )
    i, ii = m + _N0, nu / 2 * sin * cos
    iii = nu / 24 * sin * cos**3 * (5 - tan2 + 9 * eta2)
    iiia = nu / 720 * sin * cos**5 * (61 - 58 * tan2 + tan2**2)
    iv = nu * cos
    v = nu / 6 * cos**3 * (nu / rho - tan2)
    vi = nu / 120 * cos**5 * (5 - 18 * tan2 + tan2**2 + 14 * eta2 - 58 * tan2 * eta2)
    d = lon - _LON0
    north = i + ii * d**2 + iii * d**4 + iiia * d**6
    east = _E0 + iv * d + v * d**3 + vi * d**5
    return np.column_stack([east, north])
