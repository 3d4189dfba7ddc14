"""The documents of the repository, and the fenced blocks of code in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "samples/*.md", "imgbatch/*.md")
    for path in ROOT.glob(pattern)
)
_FENCED = re.compile(
    r"^(?P<fence>```+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SHELL = ("bash", "console")
_BETWEEN_COMMANDS = {"|", "||", "&&", ";", "&"}
_REDIRECTIONS = {">", ">>", "<"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its document, its first line there, its language and its text."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages, or of all."""
    return [
        Block(document, text[: found.start()].count("\n") + 2, found["language"], found["text"])
        for document in DOCUMENTS
        for text in [read(document)]
        for found in _FENCED.finditer(text)
        if not languages or found["language"] in languages
    ]


def prose(document: str) -> str:
    """A document without its blocks and comments."""
    return _COMMENT.sub("", _FENCED.sub("", read(document)))


def anchors(document: str) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings
    }


def command_lines() -> Iterator[tuple[Block, list[str]]]:
    """Every command in a shell block: the block and, say, ["imgbatch", "index", "photos"].

    In a block with prompts only the lines after ``$`` are commands; the others are output.
    """
    for block in blocks(*_SHELL):
        text = block.text.replace("\\\n", " ")
        prompted = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
        for line in prompted or text.splitlines():
            for words in _commands_of(line):
                yield block, words


def inline_commands() -> Iterator[tuple[str, list[str]]]:
    """Every command inside a sentence or a table: the document, and its words."""
    for document in DOCUMENTS:
        for line in re.findall(r"`(imgbatch [^`]+)`", prose(document).replace("\n", " ")):
            for words in _commands_of(line):
                yield document, words


def _commands_of(line: str) -> Iterator[list[str]]:
    """The commands of one line, divided at pipes and the like, without what is redirected."""
    words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    words.whitespace_split, words.commenters = True, "#"
    command: list[str] = []
    skipped = False
    for word in words:
        if skipped:
            skipped = False
        elif word in _REDIRECTIONS:
            skipped = True
        elif word in _BETWEEN_COMMANDS:
            yield command
            command = []
        else:
            command.append(word)
    yield command
