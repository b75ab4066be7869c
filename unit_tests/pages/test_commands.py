"""Each command of a page is taken by its program, and the files that it names are there, or are the reader's."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
from model_archiver.arg_parser import make_parser
from pages import PAGES, ROOT, Command, commands

from examples.assets import ASSETS
from examples.example import Example
from ts.runner.parser import parser

# What a page may have its reader start; what of them is checked stands beside their names in the tests below.
OURS = ("torch-model-runner", "torch-model-archiver", "python", "python3", "pip", "uv", "conda", "curl")
OTHERS = (
    "cd",
    "cp",
    "docker",
    "echo",
    "git",
    "kubectl",
    "mkdocs",
    "pre-commit",
    "ray",
    "serve",
    "torchserve",
    "unzip",
)

# What stands for something of the reader's, as docs/index.md says, and what pages have their reader make.
READERS = {
    "kitten.mar",
    "dog.mar",
    "photo.jpg",
    "photos/",
    "photos/**/*.jpg",
    "text.txt",
    "FOLDER",
    "FOLDER/",
    "model.py",
    "weights.pt",
    "weights.safetensors",
    "efficientnet_lite0.pt",
    "reuters_r8.pt",
    "index_to_name.json",
    "source_vocab.pt",
    "model-config.yaml",
    "vit-base-patch16-224/",
    "all-MiniLM-L6-v2/",
}
FOLDERS = {
    "benchmarks",
    "docker",
    "docs",
    "examples",
    "model-archiver",
    "ts",
    "unit_tests",
}  # of the repository
CACHE = "~/.cache/torchserve-handlers/"


def of(*programs: str) -> pytest.MarkDecorator:
    found = commands(*programs)
    return pytest.mark.parametrize("command", [pytest.param(command, id=str(command)) for command in found])


@cache
def built() -> set[str]:
    """What the examples leave in model_store/."""
    modules = [importlib.import_module(f"examples.{path.parent.name}.example") for path in examples()]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Example)]
    return {f"{example.model_name}.mar" for example in found} | {"tf_efficientnet_lite0.safetensors"}


def examples() -> list[Path]:
    return sorted((ROOT / "examples").glob("*/example.py"))


def of_reader_or_there(command: Command, name: str) -> bool:
    """Whether a file that a command reads is in the repository, in what the page leaves, or the reader's own."""
    text = PAGES[command.block.page]
    if "://" in name or name == "-" or name in READERS:
        return True
    if name.startswith(CACHE):
        return name[len(CACHE) :] in {asset.name for asset in ASSETS}
    path = PurePosixPath(name)
    if path.parts[0] in FOLDERS:
        return (ROOT / name).exists()
    if path.parts[0] == "model_store" or path.name in built():
        return path.name in built() and "model_store/" in text
    if path.name in {asset.name for asset in ASSETS}:  # photos/ has copies of those that examples ask about
        return path.parts[0] == "photos" or any(f"{place}{path.name}" in text for place in (CACHE, "photos/"))
    return name in left_by(command.block.page)


@cache
def left_by(page: str) -> set[str]:
    """The files that commands of a page write."""
    written = [file for command in commands() if command.block.page == page for file in written_by(command)]
    return {name.rstrip("/") for name in written} | {name for name in written if name.endswith("/")}


def written_by(command: Command) -> Iterator[str]:
    yield from (file for sign, file in command.redirections if sign != "<")
    for option, value in zip(command.words, command.words[1:]):
        if option in ("-o", "--output", "--save", "--json", "--plot", "-d"):
            yield value
    if command.program == "torch-model-archiver":
        options = make_parser().parse_args(command.words[1:])
        yield f"{options.model_name}.mar"
    if command.program == "cp":
        yield PurePosixPath(command.words[1]).name


def test_every_program_is_known() -> None:
    strange = {str(command) for command in commands() if command.program not in (*OURS, *OTHERS)}
    assert not strange, f"say in OURS or OTHERS what is checked of it: {strange}"


@of("torch-model-runner")
def test_the_runner_takes_a_command(command: Command) -> None:
    options = parser().parse_args(command.words[1:])
    read = [*getattr(options, "archives", []), *getattr(options, "inputs", [])]
    read += [getattr(options, name, None) for name in ("archive", "metrics", "inputs_from")]
    read += [options.weights] if "." in (getattr(options, "weights", None) or "") else []
    for name in filter(None, read):
        assert of_reader_or_there(command, str(name).partition("@sha256:")[0]), f"{name}: whose is this?"


INLINE = [
    (page, found)
    for page, text in PAGES.items()
    for found in re.findall(r"`(torch-model-runner [^`\n#]+)`", text)
]


@pytest.mark.parametrize(("page", "command"), INLINE)
def test_the_runner_takes_a_command_in_a_sentence(page: str, command: str) -> None:
    words = shlex.split(command)[1:]
    if len(words) > 1:  # else only its name is meant
        assert parser().parse_args(words).command == words[0]


@of("torch-model-archiver")
def test_the_archiver_takes_a_command(command: Command) -> None:
    options = make_parser().parse_args(command.words[1:])
    assert options.architecture or (options.model_name and options.version and options.handler)
    extra = options.extra_files if isinstance(options.extra_files, list) else [options.extra_files]
    files = [file for given in extra for file in (given or "").split(",") if file]
    files += [options.model_file, options.serialized_file, options.config_file, options.requirements_file]
    files += [options.weights] if "." in (options.weights or "") else []
    for file in filter(None, files):
        assert of_reader_or_there(command, file), f"{file}: whose is this?"


@of("python", "python3")
def test_a_script_is_there_and_has_the_options(command: Command) -> None:
    words = command.words[1:]
    if words[0] == "-c":
        compile(words[1], str(command), "exec")
        return
    if words[0] == "-m":
        assert importlib.util.find_spec(words[1].replace("-", "_")), words[1]
        return
    script = ROOT / words[0]
    assert script.is_file(), words[0]
    folder = ROOT / "examples" if script.parent == ROOT else ROOT / PurePosixPath(words[0]).parts[0]
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    for option in words[1:]:
        assert not option.startswith("--") or f'"{option}"' in source, f"{words[0]} has no {option}"


@of("pip", "uv", "conda")
def test_extras_are_there_and_files_too(command: Command) -> None:
    for word in command.words[1:]:
        for extras in re.findall(r"(?:torchserve-handlers|^\.)\[([\w,]+)\]", word):
            assert set(extras.split(",")) <= extras_of_the_project(), word
    for option, value in zip(command.words, command.words[1:]):
        assert option not in ("-r", "-c") or of_reader_or_there(command, value), value


def test_every_extra_that_a_page_names_is_there() -> None:
    for page, text in PAGES.items():
        for extras in re.findall(r"(?:torchserve-handlers|'\.)\[([\w,]+)\]", text):
            assert set(extras.split(",")) <= extras_of_the_project(), f"{page}: {extras}"
        for extra in re.findall(r"\(?extra `(\w+)`", text):
            assert extra in extras_of_the_project(), f"{page}: {extra}"


def test_the_start_has_every_extra_that_is_for_users() -> None:
    table = PAGES["docs/index.md"].split("| extra | for |")[1].split("\n\n", 1)[0]
    shown = set(re.findall(r"`(\w+)`", " ".join(row.split(" | ")[0] for row in table.splitlines()[2:])))
    assert shown == extras_of_the_project() - {"test", "docs", "dev"}


@cache
def extras_of_the_project() -> set[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = text.split("[project.optional-dependencies]")[1].split("\n[", 1)[0]
    return set(re.findall(r"^(\w+) = \[", table, re.MULTILINE))


def test_a_command_that_is_wrong_is_found() -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["predict", "kitten.mar", "photo.jpg", "--no-such-option"])
    command = commands("curl")[0]
    assert not of_reader_or_there(command, "examples/image_classifier/nothing.py")
    assert not of_reader_or_there(command, "model_store/nothing.mar")
    assert not of_reader_or_there(command, "somebody.jpg")
