"""The terminal command, a file for each group of subcommands."""

import os


def main() -> None:
    """Entry point of the ``imgbatch`` command."""
    try:
        from imgbatch.cli import interrupts

        interrupts.watch()  # before the imports of the command, which are most of its start
    except KeyboardInterrupt:
        os.write(2, b"stopped; nothing was begun\n")
        os._exit(130)
    from imgbatch.cli.app import main as run

    try:
        run()
    finally:
        interrupts.end_if_stopped()
