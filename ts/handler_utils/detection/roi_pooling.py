"""torchvision's RoIAlign on a CPU, where its own is computed by one thread and a value at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional
from torchvision.ops import MultiScaleRoIAlign

from ts.handler_utils.models.stand_in import StandIn


def quicken_roi_pooling(model: torch.nn.Module) -> None:
    """Lets faster code answer for each of torchvision's `MultiScaleRoIAlign`s of a model."""
    for module in model.modules():
        if type(module) is MultiScaleRoIAlign and module._compiled_call_impl is None:
            RoiPooling(module).take_over()


class RoiPooling(StandIn):
    """Stands for a `MultiScaleRoIAlign`, with settings as they are at each call."""

    module: Any

    def takes(self, *args: Any) -> bool:
        """Whether the features are in float32 on a CPU, and the levels of the boxes are known.

        The module itself settles them in its first call.
        """
        features, boxes = args[:2] if len(args) == 3 else ({}, [])
        tensors = [*features.values(), *boxes]
        return (
            bool(tensors)
            and all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for tensor in tensors)
            and self.module.scales is not None
            and self.module.sampling_ratio > 0
        )

    def answer(self, *args: Any) -> torch.Tensor:
        """What the module returns: [boxes of all images, C, *output_size]."""
        pooling, (features, boxes, _) = self.module, args
        maps = [feature for name, feature in features.items() if name in pooling.featmap_names]
        counts = torch.tensor([*map(len, boxes)])
        images = torch.arange(len(boxes), dtype=torch.int32).repeat_interleave(counts)
        together = torch.cat(list(boxes))
        levels = (
            torch.zeros(len(together), dtype=torch.int64) if len(maps) == 1 else pooling.map_levels(boxes)
        )
        boxes_in_maps = together * torch.tensor(pooling.scales)[levels, None]
        return align_rois(maps, boxes_in_maps, levels, images, pooling.output_size, pooling.sampling_ratio)


def align_rois(
    maps: Sequence[torch.Tensor],
    boxes: torch.Tensor,
    levels: torch.Tensor,
    images: torch.Tensor,
    output_size: tuple[int, int],
    ratio: int,
) -> torch.Tensor:
    """Averages what lies in boxes, as `torchvision.ops.roi_align` does with `aligned=False`.

    A value of the result is a weighted sum of the same few places of all channels, as is a bag of embeddings.

    Args:
        maps: of features: float [N, C, H, W], of several H and W.
        boxes: float [K, 4]: x1, y1, x2, y2 in pixels of the map that each lies in.
        levels: which of the maps a box lies in: integers [K].
        images: which of the N images a box lies in: integers [K].
        output_size: rows and columns of bins that a box has.
        ratio: samples in a bin, each way.

    Returns:
        Float [K, C, *output_size].
    """
    rows, columns = output_size
    table, starts = _in_rows(maps)
    heights, widths = (torch.tensor([item.shape[side] for item in maps])[levels] for side in (2, 3))
    left, top, right, bottom = boxes.unbind(1)
    y, y_shares = _samples(top, bottom, rows, ratio, heights)
    x, x_shares = _samples(left, right, columns, ratio, widths)
    each = 2 * ratio  # places of a bin, one way
    y = (y + (images * heights)[:, None, None]) * widths[:, None, None] + starts[levels, None, None]
    places = y.view(-1, rows, 1, each, 1) + x.view(-1, 1, columns, 1, each)
    shares = y_shares.view(-1, rows, 1, each, 1) * x_shares.view(-1, 1, columns, 1, each)
    bins = functional.embedding_bag(
        places.reshape(-1, each * each),
        table,
        mode="sum",
        per_sample_weights=shares.reshape(-1, each * each),
    )
    return bins.view(-1, rows, columns, table.shape[1]).permute(0, 3, 1, 2).contiguous()


def _in_rows(maps: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The features of all places of all maps [places, C], and where those of each map start."""
    sizes = [item.numel() // item.shape[1] for item in maps]
    table = maps[0].new_empty(sum(sizes), maps[0].shape[1])
    for item, rows in zip(maps, table.split(sizes)):
        by_place = item.permute(0, 2, 3, 1)
        rows.view(by_place.shape).copy_(by_place)
    return table, torch.tensor([0, *sizes]).cumsum(0)[:-1]


def _samples(
    low: torch.Tensor, high: torch.Tensor, bins: int, ratio: int, sizes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the samples of each bin lie along one side of the features, and what share each place has in the mean.

    Args:
        low: of each box: floats [K].
        high: of each box: floats [K].
        bins: of a box.
        ratio: samples of a bin.
        sizes: of the side of each box's map: integers [K].

    Returns:
        Indexes, and their shares: [K, bins, 2 * ratio] each, as a sample lies between two places.
    """
    step = (high - low).clamp(min=1) / bins
    starts = torch.arange(bins)[:, None] + (torch.arange(ratio) + 0.5) / ratio
    points = low[:, None, None] + starts * step[:, None, None]
    ends = sizes[:, None, None]
    inside = (points >= -1) & (points <= ends)  # samples further out count as zeros
    points = torch.minimum(points.clamp(min=0), ends - 1.0)
    first = torch.minimum(points.floor().to(torch.int64).clamp(min=0), ends - 1)  # again, as NaN has no place
    share = points - first
    indexes = torch.cat([first, torch.minimum(first + 1, ends - 1)], dim=2)
    shares = torch.cat([1 - share, share], dim=2) * (inside / ratio).repeat(1, 1, 2)
    return indexes, shares
