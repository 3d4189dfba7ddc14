"""A lock that tells when two threads meet at it."""

import threading


class WatchedLock:
    """A lock whose event `contended` is set once a thread has to wait for it."""

    def __init__(self):
        self._lock = threading.Lock()
        self.contended = threading.Event()

    def __enter__(self):
        if not self._lock.acquire(blocking=False):
            self.contended.set()
            self._lock.acquire()

    def __exit__(self, *_):
        self._lock.release()
