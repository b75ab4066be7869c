"""Batches that are written row by row, in place."""

from __future__ import annotations

import torch

from ts.handler_utils.images.batch_slots import BatchSlots

CPU = torch.device("cpu")


def test_rows_that_are_written_in_their_places_are_the_batch():
    slots = BatchSlots(3, (1, 2), CPU)
    rows = [slots.place(index, (1, 2)).fill_(index) for index in range(3)]
    assert slots.are_filled_by(rows)
    assert slots.batch.tolist() == [[[0, 0]], [[1, 1]], [[2, 2]]]


def test_a_row_of_another_shape_has_no_place():
    assert BatchSlots(3, (1, 2), CPU).place(0, (1, 3)) is None


def test_without_a_shape_there_is_no_room():
    slots = BatchSlots(3, None, CPU)
    assert slots.place(0, (1, 2)) is None
    assert not slots.are_filled_by([torch.zeros(1, 2)] * 3)


def test_rows_from_elsewhere_or_in_another_order_are_not_the_batch():
    slots = BatchSlots(2, (2,), CPU)
    first, second = slots.place(0, (2,)), slots.place(1, (2,))
    assert not slots.are_filled_by([first, torch.zeros(2)])
    assert not slots.are_filled_by([second, first])
    assert not slots.are_filled_by([first])


def test_another_device_gets_pixels():
    slots = BatchSlots(2, (1, 2), torch.device("meta"))
    pixels = torch.tensor([[7, 9]], dtype=torch.uint8)
    assert [slots.put(index, pixels).tolist() for index in range(2)] == [[[7, 9]]] * 2
    assert slots.batch.tolist() == [[[7, 9]], [[7, 9]]]
    assert slots.put(0, pixels).data_ptr() == slots.batch.data_ptr()
    numbers = torch.ones(1, 2)
    assert slots.put(1, numbers) is numbers
