"""Pickled lists of PyTorch Geometric ``Data`` objects, without running what a pickle may run.

A pickle is a program. This one may build lists, dicts, plain values, tensors and graph objects and
nothing else: every global it names must be in a short table, and the graph classes are replaced by
an inert stand-in, so that not even PyTorch Geometric's own code runs. Tensor bytes go through
``torch.load(weights_only=True)``. Both plain ``pickle.dump`` and ``torch.save`` files are read.
Pickles have to be loaded whole; torch is imported here and nowhere else in the readers.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from molcaption.data.readers.opening import open_bytes
from molcaption.data.readers.raw import RawRecord
from molcaption.errors import BadDataError, MissingError

if TYPE_CHECKING:
    import torch

# The first bytes of torch.save's files: a zip archive, and the pickled number it began with before.
_TORCH_MAGIC = (b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")
_GRAPH_FIELDS = ("x", "edge_index", "edge_attr")


class _Inert:
    """Stands in for the graph classes: holds the pickled state, does nothing."""


_GRAPH_CLASSES = (
    ("torch_geometric.data.data", "Data"),
    ("torch_geometric.data.data", "DataTensorAttr"),
    ("torch_geometric.data.data", "DataEdgeAttr"),
    ("torch_geometric.data.storage", "BaseStorage"),
    ("torch_geometric.data.storage", "NodeStorage"),
    ("torch_geometric.data.storage", "EdgeStorage"),
    ("torch_geometric.data.storage", "GlobalStorage"),
)


def read_graphs(path: str) -> Iterator[RawRecord]:
    """Each graph of a pickled list (or the one graph of the file), its SMILES rebuilt.

    Raises:
        BadDataError: no pickle, damaged, or one that names anything but tensors and graphs.
        MissingError: torch is not installed.
    """
    loaded = _load(path)
    graphs = loaded if isinstance(loaded, (list, tuple)) else [loaded]
    for graph in graphs:
        yield _record(graph)


def _load(path: str) -> Any:
    torch = _import_torch(path)
    with open_bytes(path) as handle:
        content = handle.read()
    try:
        if content.startswith(_TORCH_MAGIC):
            return _torch_load(torch, content)
        return _Restricted(torch, content).load()
    except RecursionError as error:
        raise BadDataError(f"{path}: the pickle is nested too deeply") from error
    except Exception as error:  # a damaged or hostile pickle may raise anything
        # torch's own message goes on for a page on how to switch the safety off
        reason = " ".join(str(error).split()).split(" Please file an issue")[0]
        reason = reason.split("WeightsUnpickler error: ")[-1]
        raise BadDataError(
            f"{path}: refused, expected a pickled list of torch_geometric Data: "
            f"{reason[:200] or type(error).__name__}"
        ) from error


def _import_torch(path: str) -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingError(
            f"{path}: pickled graphs need torch: pip install 'molcaption[train]'"
        ) from error
    return torch


def _torch_load(torch: Any, content: bytes) -> Any:
    # PyTorch Geometric, once imported, allows its own classes: they must not win over ours.
    others = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    allowed = [(_Inert, f"{module}.{name}") for module, name in _GRAPH_CLASSES]
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(others)


class _Restricted(pickle.Unpickler):
    """Resolves the names of the table and refuses all others."""

    def __init__(self, torch: Any, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self._table: dict[tuple[str, str], Callable[..., Any]] = {
            ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
            ("torch.storage", "_load_from_bytes"): lambda blob: _torch_load(torch, blob),
            ("collections", "OrderedDict"): OrderedDict,
            ("_codecs", "encode"): _latin1_bytes,
            **dict.fromkeys(_GRAPH_CLASSES, _Inert),
        }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._table[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle names {module}.{name}") from None


def _latin1_bytes(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes; any other encoding is none of ours."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"the pickle encodes as {encoding!r}")
    return text.encode("latin-1")


def _record(graph: Any) -> RawRecord:
    if not isinstance(graph, _Inert):
        return RawRecord("broken", f"a {type(graph).__name__}, expected a torch_geometric Data")
    values = _attributes(graph)
    arrays = {name: values.pop(name, None) for name in _GRAPH_FIELDS}
    properties = {name: _plain(value) for name, value in values.items()}
    identifier = properties.pop("id", None)
    description = properties.get("description")
    raw = RawRecord(
        kind="graph",
        payload=None,
        id="" if identifier is None else str(identifier),
        description=None if description is None else str(description),
        properties=properties,
    )
    if isinstance(properties.get("smiles"), str):
        raw.kind, raw.payload = "smiles", properties["smiles"]  # exact, isotopes included
        return raw
    missing = [name for name in _GRAPH_FIELDS if not _is_tensor(arrays[name])]
    if missing:
        raw.kind, raw.payload = "broken", f"the graph has no tensor {', '.join(missing)}"
    else:
        raw.payload = tuple(_numpy(arrays[name]) for name in _GRAPH_FIELDS)
    return raw


def _attributes(graph: object) -> dict[str, Any]:
    """What the user stored: in ``_store._mapping`` since PyTorch Geometric 2, plain before."""
    state: Any = dict(vars(graph))
    store = state.get("_store")
    if isinstance(store, _Inert):
        state = vars(store).get("_mapping", {})
    if not isinstance(state, dict):
        return {}
    return {str(name): value for name, value in state.items() if not str(name).startswith("_")}


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "numpy")


def _numpy(tensor: "torch.Tensor") -> Any:
    return tensor.detach().cpu().numpy()


def _plain(value: Any) -> Any:
    if not _is_tensor(value):
        return value
    return value.item() if value.numel() == 1 else value.tolist()
