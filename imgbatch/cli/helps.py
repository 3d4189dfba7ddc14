"""How commands explain their use: their own options first, then shared ones below headings.

And what is wrong with a command line, in one line as all errors.
"""

import re
from typing import Any

from typer.core import TyperCommand

from imgbatch.cli.common import tell
from imgbatch.cli.options import IMAGES, OUTPUT, SETTINGS

_ARGUMENT = "argument"
_HEADINGS = ("Options", OUTPUT, IMAGES, SETTINGS)
_NO_NUMBER = re.compile(r"Invalid value for '([^']*)'.*?(?:'([^']*)' is not a )?valid (\w+)")
_NUMBERS = {"integer": "a whole number", "number": "a number", "float": "a number"}


class Command(TyperCommand):
    """A subcommand, whose help reads the same with every version of typer."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words behind the command's name; in brackets what may be left out."""
        params: list[Any] = [*self.get_params(ctx)]
        names = [
            param.metavar if param.required else f"[{param.metavar}]"
            for param in params
            if param.param_type_name == _ARGUMENT
        ]
        return ["[OPTIONS]", *names]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options below their headings."""
        arguments: list[tuple[str, str]] = []
        options: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
        params: list[Any] = [*self.get_params(ctx)]
        for param in params:
            if param.param_type_name == _ARGUMENT:
                arguments.append((param.metavar, param.help))
            elif record := param.get_help_record(ctx):
                # The -h of click has no attribute of this name.
                heading = getattr(param, "rich_help_panel", None) or _HEADINGS[0]
                options[heading].append(record)
        for title, rows in {"Arguments": arguments, **options}.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def told(error: Any) -> int:
    """Say in one line what is wrong with a command line; returns the exit code.

    A command that was given nothing prints its help instead.
    """
    if error.ctx is not None and type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return 2
    text = " ".join(error.format_message().split()).rstrip(".?").replace(". Did", "; did")
    text = _no_number(error, text) or text
    advice = [f"{error.ctx.command_path} -h tells its use"] if error.ctx is not None else []
    if text.startswith("Got unexpected extra"):
        text = f"too many words: {text.rpartition('(')[2].rstrip(')')}"
        advice.insert(0, "put words and names with spaces into quotes")
    tell(f"error: {text[:1].lower()}{text[1:]}", "; ".join(advice))
    return 2


def _no_number(error: Any, text: str) -> str:
    """What is wrong with a number that is none; empty if something else is wrong.

    Versions of typer word it differently, and some keep what was given in the error's cause.
    """
    found = _NO_NUMBER.match(text)
    if found is None or found[3] not in _NUMBERS:
        return ""
    details: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    given = details[0]["input"] if details else found[2]
    return f"{found[1]} is {given!r}, expected {_NUMBERS[found[3]]}"
