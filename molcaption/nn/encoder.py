"""MolGNN: the molecule as graph tokens.

Message passing in the form of GINE (Hu et al., "Strategies for Pre-training Graph Neural
Networks", ICLR 2020, eq. 3.1: a bond's embedding is added to its neighbour's state before the
ReLU), in pre-norm residual blocks. LayerNorm, not batch norm, so that a molecule's tokens do not
depend on its batch-mates. Sums go through ``index_add``, which exports to ONNX as ``ScatterND``.

Dims: N atoms, E directed bonds, B molecules, Q graph tokens, H hidden width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from molcaption.chem.graph import ATOM_VOCABULARY, BOND_VOCABULARY

_HEADS = 8
_SUM_SCALE = 1 / 16
"""Brings sums over atoms (a molecule has about 25) to the size of means."""


@dataclass(frozen=True)
class EncoderConfig:
    """Size of a MolGNN; ``width`` is that of a graph token (768 in the mission)."""

    layers: int = 5
    hidden: int = 256
    width: int = 768
    graph_tokens: int = 1
    dropout: float = 0.0


class FeatureEmbedding(nn.Module):
    """Sum of one learned vector per categorical feature, unknown buckets included.

    Shapes: codes [M, F] -> [M, H].
    """

    def __init__(self, vocabulary: tuple[int, ...], hidden: int) -> None:
        super().__init__()
        sizes = torch.tensor([known + 1 for known in vocabulary])
        self.offsets: Tensor
        self.register_buffer("offsets", sizes.cumsum(0) - sizes, persistent=False)
        self.table = nn.Embedding(int(sizes.sum()), hidden)
        nn.init.normal_(self.table.weight, std=len(vocabulary) ** -0.5)

    def forward(self, codes: Tensor) -> Tensor:
        """See the class for shapes."""
        vectors: Tensor = self.table(codes + self.offsets)
        return vectors.sum(1)


class MessagePassing(nn.Module):
    """``h + MLP(z + sum_j ReLU(z_j + e_ij))`` with ``z = LayerNorm(h)``.

    Shapes: atom states [N, H], edge_index [2, E], edge_attr [E, 3] -> [N, H].
    """

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.bonds = FeatureEmbedding(BOND_VOCABULARY, hidden)
        self.mlp = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """See the class for shapes."""
        z = self.norm(states)
        source, target = edge_index[0], edge_index[1]
        messages = torch.relu(z[source] + self.bonds(edge_attr))  # [E, H]
        received = torch.zeros_like(z).index_add(0, target, messages)  # [N, H]
        return states + self.dropout(self.mlp(z + received))


class Readout(nn.Module):
    """Atom states to Q tokens: attention pooling, beside the mean and the sum over atoms.

    Attention lets each token look at its own atoms; mean and sum keep composition and size, which a
    softmax forgets. Scores are soft-capped to +-10, so the exponential needs no maximum per
    molecule and stays independent of the batch.

    Shapes: states [N, H], batch [N] -> [B, Q, width].
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.tokens = config.graph_tokens
        self.norm = nn.LayerNorm(config.hidden)
        self.scores = nn.Linear(config.hidden, self.tokens * _HEADS)
        self.values = nn.Linear(config.hidden, config.hidden)
        self.out = nn.Linear(3 * config.hidden, config.width)
        self.out_norm = nn.LayerNorm(config.width)

    def forward(self, states: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
        """See the class for shapes."""
        z = self.norm(states)
        total = _sum_per_graph(z, batch, num_graphs)  # [B, H]
        size = _sum_per_graph(torch.ones_like(z[:, :1]), batch, num_graphs)  # [B, 1]
        pooled = torch.cat([total / size, total * _SUM_SCALE], dim=-1)  # [B, 2H]
        attended = self._attend(z, batch, num_graphs)  # [B, Q, H]
        shared = pooled.unsqueeze(1).expand(-1, self.tokens, -1)
        return self.out_norm(self.out(torch.cat([attended, shared], dim=-1)))

    def _attend(self, z: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
        weights = torch.exp(10 * torch.tanh(self.scores(z) / 10))  # [N, Q * heads]
        norms = _sum_per_graph(weights, batch, num_graphs)
        shares = (weights / norms[batch]).view(-1, self.tokens, _HEADS, 1)
        values = self.values(z).view(z.shape[0], 1, _HEADS, -1)  # [N, 1, heads, H / heads]
        weighted = (shares * values).flatten(1)  # [N, Q * H]
        return _sum_per_graph(weighted, batch, num_graphs).view(num_graphs, self.tokens, -1)


class MolGNN(nn.Module):
    """Encoder of molecular graphs.

    Shapes: ``x`` [N, 9], ``edge_index`` [2, E], ``edge_attr`` [E, 3], ``batch`` [N] (all int64)
    -> graph tokens [B, Q, width].
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        if config.hidden % _HEADS:
            raise ValueError(f"encoder.hidden must be a multiple of {_HEADS}; got {config.hidden}")
        self.config = config
        self.atoms = FeatureEmbedding(ATOM_VOCABULARY, config.hidden)
        self.layers = nn.ModuleList(
            MessagePassing(config.hidden, config.dropout) for _ in range(config.layers)
        )
        self.readout = Readout(config)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor, batch: Tensor, num_graphs: int
    ) -> Tensor:
        """See the class for shapes."""
        states = self.atoms(x)
        for layer in self.layers:
            states = layer(states, edge_index, edge_attr)
        return self.readout(states, batch, num_graphs)


def _sum_per_graph(values: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
    """[N, F] -> [B, F]."""
    zeros = values.new_zeros(num_graphs, values.shape[1])
    return zeros.index_add(0, batch, values)
