"""The command line that gives an answer again, as a page shows it."""

import shlex

import typer

from imgbatch.cli.listed import STANDARD_INPUT

_WITHOUT = {
    "output", "report", "preview", "json", "paths", "no_sheet", "columns", "open_",
    "copy_to", "link_to", "workers",
    "no_refresh", "apply", "move_to", "undo", "log", "confusion",
}  # fmt: skip
"""Options that say what becomes of an answer, or how fast it comes, but not which one it is."""


def command_line(context: typer.Context, **settled: object) -> str:
    """The command with its arguments and with the options that were given.

    Parameters
    ----------
    context
        That of the command; options at their default are left out.
    settled
        Values that the command chose itself, such as a drawn seed, or that are shown otherwise.
    """
    words = context.command_path.split()
    without = _WITHOUT if context.params.get("folder") == STANDARD_INPUT else {*_WITHOUT, "null"}
    for parameter in context.command.params:
        name = parameter.name or ""
        value = settled.get(name, context.params.get(name))
        if name in without or value in (None, (), [], parameter.default):
            continue
        if parameter.param_type_name == "argument":
            words.append(str(value))
            continue
        option = max(parameter.opts, key=len)
        for each in value if isinstance(value, list | tuple) else [value]:
            words += [option] if each is True else [option, str(each)]
    return shlex.join(words)
