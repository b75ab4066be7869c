"""The commands that show, check and convert archives, and look at where they run."""

from __future__ import annotations

from typing import Any

from ts.runner import commands
from ts.runner.argument_types import positive
from ts.runner.parser.common import ARCHIVE, add_command, add_device, add_json, add_max_size


def add_inspect(actions: Any) -> None:
    inspect = add_command(
        actions, "inspect", "show an archive's manifest, settings and files; runs none of its code"
    )
    inspect.add_argument("archive", metavar="ARCHIVE", help=ARCHIVE)
    add_max_size(inspect)
    instead = inspect.add_mutually_exclusive_group()
    instead.add_argument(
        "--verify",
        action="store_true",
        help="only check every file against the manifest's sha256; exits 1 and names those that differ",
    )
    instead.add_argument(
        "--describe",
        action="store_true",
        help="start the handler, and show what it says of itself: payloads, options, settings, labels",
    )
    add_json(inspect, "print one JSON document")
    inspect.set_defaults(run=commands.inspect)


def add_export(actions: Any) -> None:
    export = add_command(
        actions,
        "export",
        "re-pack an archive as torch.export, AOTInductor or OpenVINO have its model, if its answers stay the same",
    )
    export.add_argument("archive", metavar="ARCHIVE", help=ARCHIVE)
    export.add_argument(
        "--to",
        choices=("pt2", "aot", "openvino"),
        default="pt2",
        help="pt2: a torch.export program; aot: compiled by AOTInductor, for this kind of device and machine;"
        " openvino: beside the model, converted for engine: openvino (default: pt2)",
    )
    export.add_argument(
        "-o", "--output", metavar="OUT", help="the new archive (default: ARCHIVE-pt2.mar, in this folder)"
    )
    export.add_argument(
        "--input",
        metavar="FILE",
        action="append",
        default=[],
        dest="inputs",
        help="what both archives are asked: a photo, a text; may be given many times (default: random ones)",
    )
    export.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        help="of the new model, if it cannot take batches of any size (default: the archive's batchSize, else 1)",
    )
    add_device(export)
    add_max_size(export)
    export.add_argument("-f", "--force", action="store_true", help="replace OUT")
    add_json(export, "print one JSON document")
    export.set_defaults(run=commands.export)


def add_doctor(actions: Any) -> None:
    doctor = add_command(
        actions, "doctor", "check whose handlers each place gets, torch, devices, extras and Java"
    )
    add_json(doctor, "print one JSON document")
    doctor.set_defaults(run=commands.doctor)
