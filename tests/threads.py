"""How many threads libraries have."""

from threadpoolctl import threadpool_info


def blas_threads() -> set[int]:
    """Of every BLAS that is loaded."""
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }
