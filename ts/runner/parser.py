"""The command line of torch-model-runner: its commands, and their options."""

from __future__ import annotations

import argparse
from typing import Any

from ts import HANDLERS_VERSION
from ts.runner import commands
from ts.runner.argument_types import amount, byte_count, key_value, positive
from ts.runner.predict import ENGINES as PREDICT_ENGINES
from ts.runner.predict import predict as run_predict
from ts.runner.serve import ENGINES
from ts.runner.serve import serve as run_serve
from ts.runner.serving.ray.command import ray_config

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
    add_ray_config(actions)
    add_export(actions)
    add_doctor(actions)
    return result


def add_predict(actions: Any) -> None:
    predict = add_command(actions, "predict", "answer inputs as TorchServe would: in this process, or on Ray")
    predict.add_argument("archive", metavar="ARCHIVE", help=ARCHIVE)
    predict.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="a file, or - for standard input; with --engine ray files and folders, or their URLs",
    )
    add_request(predict)
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
    add_predict_on_ray(predict)
    predict.set_defaults(run=run_predict)


def add_request(predict: argparse.ArgumentParser) -> None:
    """What goes with each input."""
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


def add_predict_on_ray(predict: argparse.ArgumentParser) -> None:
    predict.add_argument(
        "--engine",
        choices=PREDICT_ENGINES,
        default="local",
        help="local: this process; ray: workers of a Ray cluster, started on this machine or joined, for any"
        " number of files (default: local)",
    )
    predict.add_argument(
        "--output",
        metavar="FILE",
        help="of --engine ray: the answers as a table, a row a file, e.g. a.parquet",
    )
    predict.add_argument(
        "--resume",
        action="store_true",
        help="go on with an --output that is there: ask what has no answer yet",
    )
    predict.add_argument("--address", help="of the Ray cluster to join, as ray.init takes it, e.g. auto")
    predict.add_argument(
        "--workers", metavar="N", type=positive, help="on Ray (default: as many as there is room for)"
    )
    add_shares(predict)


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
    add_serving(serve)
    serve.add_argument("--address", help="of the Ray cluster to join, as ray.init takes it, e.g. auto")
    serve.set_defaults(run=run_serve)


def add_ray_config(actions: Any) -> None:
    config = add_command(
        actions, "ray-config", "write what `serve deploy` or KubeRay takes to serve archives on a Ray cluster"
    )
    config.add_argument("archives", metavar="ARCHIVE", nargs="+", help=f"{ARCHIVE}; opened on each node")
    config.add_argument("-o", "--output", metavar="FILE", help="(default: standard output)")
    config.add_argument("-f", "--force", action="store_true", help="replace FILE")
    config.add_argument(
        "--kuberay", action="store_true", help="a RayService for Kubernetes, with a cluster of its own"
    )
    config.add_argument("--image", help="of the pods of --kuberay, with this library in it")
    config.add_argument(
        "--nodes", metavar="N", type=positive, default=2, help="pods of workers of --kuberay (default: 2)"
    )
    config.add_argument("--host", help="the address that each node listens on (default: 0.0.0.0)")
    config.add_argument("--port", metavar="N", type=positive, default=8000, help="likewise (default: 8000)")
    add_serving(config)
    config.set_defaults(run=ray_config)


def add_serving(serve: argparse.ArgumentParser) -> None:
    """What all engines are told, and what workers on Ray get."""
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
    add_shares(serve)


def add_shares(command: argparse.ArgumentParser) -> None:
    """What each worker on Ray gets."""
    command.add_argument(
        "--cpus-per-worker",
        metavar="N",
        type=amount,
        help="of each worker on Ray; 0.5 lets two share a CPU (default: 1; less on a cluster that is started here,"
        " if there are too few)",
    )
    command.add_argument(
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
