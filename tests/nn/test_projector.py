"""The bridge has the mission's shape and lands at the norm of the backbone's embedding rows."""

import pytest
import torch
from torch import nn

from molcaption.nn.projector import Projector, ProjectorConfig


def test_the_missions_shape() -> None:
    projector = Projector(ProjectorConfig(in_width=768, out_width=1024, hidden=1024))
    linears = [m for m in projector.modules() if isinstance(m, nn.Linear)]
    shapes = [(m.in_features, m.out_features) for m in linears]
    assert shapes == [(768, 1024), (1024, 1024), (1024, 1024)]
    kinds = [type(m) for m in projector.mlp]
    assert kinds.count(nn.GELU) == kinds.count(nn.LayerNorm) == 2


@pytest.mark.parametrize("norm", [0.5, 3.2])
def test_output_has_the_norm_it_was_given(norm: float) -> None:
    torch.manual_seed(0)
    projector = Projector(ProjectorConfig(24, 32, hidden=16, out_norm=norm))
    out = projector(torch.randn(5, 2, 24))
    assert out.shape == (5, 2, 32)
    torch.testing.assert_close(out.norm(dim=-1), torch.full((5, 2), norm), rtol=1e-2, atol=1e-3)


def test_one_layer_is_a_linear_map() -> None:
    projector = Projector(ProjectorConfig(8, 4, layers=1))
    assert [type(m) for m in projector.mlp] == [nn.Linear]
