"""Did a policing project change crime, how sure can we be, and how strong is the design?

    import whatworks_eval as ww

    protocol = ww.load_protocol("designs/x.toml")
    evaluation = ww.evaluate(protocol, ww.load_data(protocol))
    print(ww.render(evaluation))

Names are looked up when first used (PEP 562), so that `import whatworks_eval` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whatworks_eval.errors import CannotEstimate, DataError, ProtocolError, WhatWorksError
    from whatworks_eval.evaluation import appraise, evaluate
    from whatworks_eval.protocol import load_protocol, protocol_from_dict
    from whatworks_eval.report import render
    from whatworks_eval.sources import load_data
    from whatworks_eval.sources.counts import panel_from_counts

__version__ = "0.1.0"

__all__ = [
    "CannotEstimate",
    "DataError",
    "ProtocolError",
    "WhatWorksError",
    "__version__",
    "appraise",
    "evaluate",
    "load_data",
    "load_protocol",
    "panel_from_counts",
    "protocol_from_dict",
    "render",
]

_ROOMS = {
    "CannotEstimate": "errors",
    "DataError": "errors",
    "ProtocolError": "errors",
    "WhatWorksError": "errors",
    "appraise": "evaluation",
    "evaluate": "evaluation",
    "load_data": "sources",
    "load_protocol": "protocol",
    "panel_from_counts": "sources.counts",
    "protocol_from_dict": "protocol",
    "render": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
