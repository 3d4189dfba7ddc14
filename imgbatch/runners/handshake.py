"""Whether a Dask scheduler answers at an address, asked before a client is made.

Dask's client waits without an end for an address that takes connections and is silent, and takes
the first bytes of any other server for the length of a message, which may be beyond all memory.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def check_scheduler(address: str, seconds: float) -> None:
    """Connect to an address as Dask's client does, and close the connection.

    Raises
    ------
    OSError
        Nobody there, or somebody who does not answer as Dask does in so many seconds.
    """
    from distributed.comm import connect
    from distributed.security import Security

    async def ask() -> None:
        options = Security().get_connection_args("client")
        comm = await asyncio.wait_for(connect(address, timeout=seconds, **options), seconds)
        comm.abort()

    # In a thread of its own: the caller, such as a notebook, may have a running loop.
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(lambda: asyncio.run(ask())).exception()
    if isinstance(error, TimeoutError):
        raise OSError(f"no Dask scheduler answers within {seconds:g} seconds")
    if isinstance(error, OSError):
        raise error
    if error is not None:  # a stranger's bytes raise anything
        raise OSError(f"what answers there is no Dask scheduler ({type(error).__name__})")
