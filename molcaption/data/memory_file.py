"""A memory out of the user's own file of captioned molecules, its index built once.

The index takes some 10 ms a molecule, so it is kept in the user's cache folder under a name made
of the structures and the lexicon. A cache that cannot be written or read back costs time, nothing
else.
"""

import hashlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from molcaption.claims import Lexicon
from molcaption.data.atomic import atomic_write
from molcaption.data.captioned import read_captioned
from molcaption.data.features import features_of
from molcaption.data.memory import Memory, VectorTable, vector
from molcaption.data.user_cache import cache_folder
from molcaption.errors import MolcaptionError

_log = logging.getLogger(__name__)
_VERSION = 2
"""To be raised with every change of the vectors."""


def load_memory(path: str | Path, lexicon: Lexicon, styles: Sequence[str] | None = None) -> Memory:
    """The captioned molecules of ``path``, any compound file with a column of descriptions.

    Args:
        styles: only rows whose ``style`` column is one of these.

    Raises:
        NoInputError, UsageError, BadDataError: as `read_captioned`.
    """
    molecules = read_captioned(path, styles)
    smiles = [molecule.smiles for molecule in molecules]
    kept = cache_folder() / f"memory-{_key(smiles, lexicon)}.npz"
    index = _read(kept, len(smiles))
    if index is None:
        _log.info("%s: indexing %d captioned molecules", path, len(smiles))
        index = VectorTable.of([vector(found) for found in features_of(smiles, lexicon)])
        _keep(kept, index)
    return Memory(index, [molecule.description or "" for molecule in molecules])


def _key(smiles: Sequence[str], lexicon: Lexicon) -> str:
    text = "\n".join([str(_VERSION), lexicon.hash, *smiles])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _read(path: Path, n_molecules: int) -> VectorTable | None:
    """The index kept at ``path``; None if there is none, or a damaged one."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            index = VectorTable(**{name: stored[name] for name in stored.files})
            return index if len(index.products({})) == n_molecules else None
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001  numpy and zipfile raise a dozen types for a damaged file
        _log.warning("%s: damaged, built anew: %s", path, error)
        return None


def _keep(path: Path, index: VectorTable) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            np.savez(file, **vars(index))
    except (OSError, MolcaptionError) as error:
        _log.info("the index of the memory is not kept: %s", error)
