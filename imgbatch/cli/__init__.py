"""The terminal command, a file for each group of subcommands."""


def main() -> None:
    """Entry point of the ``imgbatch`` command."""
    from imgbatch.cli.app import main as run

    run()
