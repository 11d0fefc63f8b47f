"""Losses against their definitions written out, and against what they must tell apart."""

import math

import torch
from torch.nn import functional as F

from molcaption.nn.captioner import next_token_loss
from molcaption.nn.objectives import contrastive_loss, cosine_loss, mse_loss, similarities


def test_contrastive_loss_is_the_mean_of_both_directions() -> None:
    torch.manual_seed(0)
    graphs, texts = torch.randn(4, 8), torch.randn(4, 8)
    logits = F.normalize(graphs, dim=-1) @ F.normalize(texts, dim=-1).T / 0.1
    rows = -torch.stack([logits[i].log_softmax(0)[i] for i in range(4)]).mean()
    columns = -torch.stack([logits[:, i].log_softmax(0)[i] for i in range(4)]).mean()
    torch.testing.assert_close(contrastive_loss(graphs, texts, 0.1), (rows + columns) / 2)


def test_contrastive_loss_of_constant_vectors_is_chance() -> None:
    loss = contrastive_loss(torch.ones(5, 3), torch.randn(5, 3), 0.07)
    assert loss > math.log(5) - 1e-4


def test_distances_vanish_only_at_the_target() -> None:
    torch.manual_seed(0)
    target = torch.randn(3, 6)
    assert mse_loss(target, target) == 0
    assert abs(float(cosine_loss(2 * target, target))) < 1e-6
    assert mse_loss(2 * target, target) > 0
    assert similarities(target, target).diagonal().allclose(torch.ones(3))


def test_next_token_loss_counts_labelled_positions_only() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 7)
    labels = torch.tensor([[-100, -100, 3, 5], [-100, 2, -100, -100]])
    picked = [(0, 1, 3), (0, 2, 5), (1, 0, 2)]  # row, position before, label
    expected = -torch.stack([logits[r, t].log_softmax(-1)[y] for r, t, y in picked]).mean()
    torch.testing.assert_close(next_token_loss(logits, labels), expected)
