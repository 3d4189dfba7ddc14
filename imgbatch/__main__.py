"""``python -m imgbatch`` is ``imgbatch``."""

from imgbatch.cli import main

main()
