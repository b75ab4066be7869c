"""The project's pages: their fenced blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/*.md", ".github/**/*.md")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for pattern in PATTERNS
    for path in sorted(ROOT.glob(pattern))
}
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n?((?:(?!\$ ).*\n?)*)", re.MULTILINE)
SEPARATORS = {"&&", "||", ";", "|"}


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: by its path in the repository.
        line: where it begins.
        kind: the word behind its fence.
        text: what stands in it, without the indentation of the fence.
    """

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One program that a console block starts.

    Attributes:
        block: that it stands in.
        words: the program and its arguments, without variables before it and redirections behind it.
        variables: what is set before the program.
        redirections: the files behind `>` and `<`, each with that sign.
        output: what the block shows below the line.
    """

    block: Block
    words: tuple[str, ...]
    variables: tuple[str, ...] = ()
    redirections: tuple[tuple[str, str], ...] = ()
    output: str = ""

    @property
    def program(self) -> str:
        """Without the folder of an environment."""
        return self.words[0].rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.block} {shlex.join(self.words)}"


def blocks(*kinds: str) -> list[Block]:
    """All blocks, or those of some kinds."""
    return [
        block for name in PAGES for block in blocks_of(name, PAGES[name]) if not kinds or block.kind in kinds
    ]


def blocks_of(page: str, text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        indent = found["indent"]
        lines = [line[len(indent) :] for line in found["text"].splitlines(keepends=True)]
        yield Block(page, text.count("\n", 0, found.start()) + 1, found["kind"].strip(), "".join(lines))


def commands(*programs: str) -> list[Command]:
    """All commands of console blocks, or those of some programs."""
    found = [command for block in blocks("console") for command in commands_of(block)]
    return [command for command in found if not programs or command.program in programs]


def commands_of(block: Block) -> Iterator[Command]:
    for found in COMMAND.finditer(block.text):
        parts = list(_simple(found[1].replace("\\\n", " ")))
        for part in parts:
            output = found[2] if part is parts[-1] else ""
            variables = tuple(_leading_variables(part))
            words, redirections = _redirected(part[len(variables) :])
            yield Command(block, tuple(words), variables, tuple(redirections), output)


def _simple(line: str) -> Iterator[list[str]]:
    """The words of each command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in SEPARATORS:
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _leading_variables(words: list[str]) -> Iterator[str]:
    for word in words:
        if not re.match(r"[A-Z_]+=", word):
            return
        yield word


def _redirected(words: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    kept, redirections = [], []
    rest = iter(words)
    for word in rest:
        if word in ("<", ">", ">>"):
            redirections.append((word, next(rest)))
        else:
            kept.append(word)
    return kept, redirections
