"""``python -m imgbatch`` is ``imgbatch``."""

import os

try:
    from imgbatch.cli import main
except KeyboardInterrupt:  # later ones are handled in `main`
    os.write(2, b"stopped; nothing was begun\n")
    os._exit(130)

main()
