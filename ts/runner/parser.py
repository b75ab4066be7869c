"""The command line of torch-model-runner: its commands, and their options."""

from __future__ import annotations

import argparse
from typing import Any

from ts import HANDLERS_VERSION
from ts.runner import commands
from ts.runner.argument_types import amount, byte_count, key_value, positive
from ts.runner.serve import ENGINES
from ts.runner.serve import serve as run_serve

ARCHIVE = (
    "a .mar, a .tar.gz or a folder, or the URL of such a file (s3://, https://, ...); @sha256:DIGEST after it pins"
    " its content"
)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="torch-model-runner",
        description="Answers, shows, serves and exports TorchServe model archives (.mar, .tar.gz or a folder).",
    )
    result.add_argument("--version", action="version", version=f"torchserve-handlers {HANDLERS_VERSION}")
    actions = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_predict(actions)
    add_inspect(actions)
    add_serve(actions)
    add_export(actions)
    add_doctor(actions)
    return result


def add_predict(actions: Any) -> None:
    predict = add_command(actions, "predict", "answer inputs in this process, as TorchServe would")
    predict.add_argument("archive", metavar="ARCHIVE", help=ARCHIVE)
    predict.add_argument("inputs", metavar="INPUT", nargs="+", help="a file, or - for standard input")
    predict.add_argument(
        "--option",
        metavar="KEY=VALUE",
        action="append",
        type=key_value,
        default=[],
        dest="options",
        help="an option of the request, e.g. topk=3; may be given many times",
    )
    predict.add_argument(
        "--header",
        metavar="KEY=VALUE",
        action="append",
        type=key_value,
        default=[],
        dest="headers",
        help="a header of each request, e.g. ts_request_sequence_id=s1; may be given many times",
    )
    predict.add_argument(
        "--explain", action="store_true", help="ask for explanations in place of predictions"
    )
    add_device(predict)
    add_max_size(predict)
    predict.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        help="inputs that the handler gets at once (default: the archive's batchSize, else 1)",
    )
    add_metrics(predict)
    add_json(predict, "print one JSON list of {input, status, response}")
    predict.set_defaults(run=commands.predict)


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


def add_serve(actions: Any) -> None:
    serve = add_command(
        actions, "serve", "serve archives over HTTP by TorchServe's inference API, until Ctrl-C"
    )
    serve.add_argument("archives", metavar="ARCHIVE", nargs="+", help=ARCHIVE)
    serve.add_argument(
        "--engine",
        choices=tuple(ENGINES),
        default="embedded",
        help="embedded: this process, and workers of its own; torchserve: a real TorchServe, which needs Java;"
        " ray: a Ray cluster, started on this machine or joined (default: embedded)",
    )
    serve.add_argument("--host", help="the address to listen on, but of torchserve (default: 127.0.0.1)")
    serve.add_argument(
        "--port", metavar="N", type=positive, default=8080, help="of the inference API (default: 8080)"
    )
    add_device(serve)
    add_max_size(serve)
    serve.add_argument(
        "--max-request-size",
        metavar="SIZE",
        type=byte_count,
        help="what the body of a request may have, in bytes or as 50M, but of torchserve (default: 6553500)",
    )
    serve.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        help="of each model (default: the archive's batchSize, else 1)",
    )
    add_metrics(serve)
    add_ray(serve)
    serve.set_defaults(run=run_serve)


def add_ray(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--address", help="of the Ray cluster to join, as ray.init takes it, e.g. auto")
    serve.add_argument(
        "--cpus-per-worker",
        metavar="N",
        type=amount,
        help="of each worker on Ray; 0.5 lets two share a CPU (default: 1; less on a cluster that is started here,"
        " if there are too few)",
    )
    serve.add_argument(
        "--gpus-per-worker",
        metavar="N",
        type=amount,
        help="of each worker on Ray, unless the archive's deviceType is cpu; 0.5 lets two share a GPU (default: as"
        " the archive's deviceType and parallelism ask for)",
    )


def add_export(actions: Any) -> None:
    export = add_command(
        actions,
        "export",
        "re-pack an archive with its model as torch.export or AOTInductor have it, if its answers stay the same",
    )
    export.add_argument("archive", metavar="ARCHIVE", help=ARCHIVE)
    export.add_argument(
        "--to",
        choices=("pt2", "aot"),
        default="pt2",
        help="pt2: a torch.export program; aot: compiled by AOTInductor, for this kind of device and machine"
        " (default: pt2)",
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


def add_command(actions: Any, name: str, about: str) -> argparse.ArgumentParser:
    command = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    command.add_argument("--debug", action="store_true", help="show logs, and tracebacks of what fails")
    return command


def add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="auto (the first GPU, if there is one), cpu or cuda:N (default: auto)",
    )


def add_max_size(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--max-size",
        metavar="SIZE",
        type=byte_count,
        help="what an archive may unpack to, in bytes or as 500M or 20G (default: 50 times its own size, and 256M"
        " at least)",
    )


def add_metrics(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--metrics",
        metavar="FILE",
        help="a YAML file that defines metrics of handlers, as TorchServe's metrics_config names one",
    )


def add_json(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("--json", action="store_true", help=about)
