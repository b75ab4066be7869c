"""Puts torchserve-handlers' `ts` and `model_archiver` in front of those that other packages install.

Whenever Python starts, the `.pth` file beside this module has `activate` called. Where Python reads no `.pth` file
(`python -S`, a folder of `pip install --target`), torch calls `report_bypass`, which pyproject.toml registers with
it. A start of Python must not get slower: only what Python has imported by then is imported here.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
SWITCH = "TORCHSERVE_HANDLERS"


def is_off() -> bool:
    """Whether the environment asks for torchserve's own handlers: TORCHSERVE_HANDLERS=off."""
    return os.environ.get(SWITCH, "").strip().lower() in ("off", "0", "false", "no")


def arrange(ours: bool) -> None:
    """Puts the folder at the front of `sys.path`, or takes it out, wherever it was before."""
    sys.path[:] = [*([FOLDER] if ours else []), *(path for path in sys.path if path != FOLDER)]


def activate() -> None:
    """Puts the folder at the front of `sys.path`, unless the environment says that it is off."""
    arrange(ours=not is_off())


def report_bypass() -> None:
    """Warns where torchserve's own `ts` is in use, although this library is installed and not switched off.

    torch calls it at the end of its import, as it calls every entry point of its group `torch.backends`
    (since torch 2.5). A worker of TorchServe has imported `ts` by then.
    """
    package = sys.modules.get("ts")
    file = getattr(package, "__file__", None)
    if is_off() or not file or hasattr(package, "HANDLERS_VERSION"):
        return
    if not os.path.isfile(os.path.join(os.path.dirname(file), "model_server.py")):
        return  # not torchserve's, but something else of that name
    import logging

    logging.getLogger(__name__).warning(
        "torchserve-handlers is installed, but this process has torchserve's own handlers, for its Python read "
        "no .pth file: start it with %s in front of PYTHONPATH, or ask `torch-model-runner doctor`",
        FOLDER,
    )


def torch_model_runner() -> int:
    """The console command `torch-model-runner`, which works without `.pth` files too, and when switched off."""
    arrange(ours=True)
    from ts.runner.main import main

    return main()
