"""molcaption: caption molecules in bulk, with evidence for every chemical claim.

from molcaption import Captioner

captioner = Captioner.from_pretrained()
captioner.caption(["CCO"])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molcaption.api import (
        CaptionedMolecule,
        CaptionedMolecules,
        Captioner,
        CheckedClaim,
        Explanation,
    )

__version__ = "0.1.0"
__all__ = [
    "CaptionedMolecule",
    "CaptionedMolecules",
    "Captioner",
    "CheckedClaim",
    "Explanation",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """The API, imported when it is first asked for: help must not wait for RDKit (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("molcaption.api"), name)
