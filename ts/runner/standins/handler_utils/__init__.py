"""The modules that torchserve's `ts.handler_utils` has beside this library's."""
