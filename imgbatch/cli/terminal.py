"""``--show``: the images of an answer as pictures in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgbatch.cli.common import note
from imgbatch.cli.output_files import ShowAnswer

if TYPE_CHECKING:
    from imgbatch.config.schema import Config
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.terminal import Ranked


def draw(images: "Sequence[Ranked]", config: "Config", *, json: bool, paths: bool) -> None:
    """Draw the images of an answer, or say why that cannot be.

    Parameters
    ----------
    images
        In the order of the answer.
    json, paths
        Whether --json or --paths was given: then nothing else stands on standard output.
    """
    from imgbatch.outputs.base import StandardOutput
    from imgbatch.outputs.terminal import why_not_drawn, write_pictures

    if json or paths:
        reason = f"{'--json' if json else '--paths'} was given"
    else:
        reason = why_not_drawn(StandardOutput())
    if reason:
        note([f"--show draws nothing: {reason}"])
    elif images:
        write_pictures(images, config)


def then_drawn(
    show: ShowAnswer, images: "Sequence[Ranked]", config: "Config", *, json: bool, paths: bool
) -> ShowAnswer:
    """What prints an answer, and then draws its images."""

    def shown(files: "list[WrittenFile]") -> None:
        show(files)
        draw(images, config, json=json, paths=paths)

    return shown
