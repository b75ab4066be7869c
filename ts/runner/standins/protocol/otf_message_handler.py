"""Stands in for torchserve's `ts.protocol.otf_message_handler`, as far as handlers use it."""

from ts.handler_utils.utils import send_intermediate_predict_response

__all__ = ["send_intermediate_predict_response"]
