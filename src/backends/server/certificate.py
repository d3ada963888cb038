"""The certificate that the ports show, and the one that comes in its place while they are open.

Certificates are renewed every few weeks, and a server that went on showing the old one would take no stop any more from
the day on which that ends. Whoever connects is shown the newest; nobody who is connected is cut off for it.
"""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path
from typing import Any

from backends.keeper.log import NAME

_log = logging.getLogger(NAME)

_Stamps = tuple[tuple[int, int, int] | None, ...]
"""Of each file when it was written, which it is and how long; None where it is not there."""


class Certificate(threading.Thread):
    """Looks on a thread of its own, for a disk may hang, whether the files have changed."""

    def __init__(self, chain: Path, key: Path, every_s: float) -> None:
        """Raises OSError where the files are not what they should be."""
        super().__init__(name="certificate", daemon=True)
        self._chain, self._key = chain, key
        self._every_s = every_s
        self._ending = threading.Event()
        self._seen = self._stamps()
        self._newest = self.context = self._read()
        self.context.sni_callback = self._show

    def run(self) -> None:
        """Look again and again, until `close`."""
        while not self._ending.wait(self._every_s):
            self._look()

    def close(self) -> None:
        """Look no more."""
        self._ending.set()

    def _look(self) -> None:
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        try:
            self._newest = self._read()
        except OSError as error:  # the other file may be under way; until then there is one that is good
            _log.error("a new certificate is of no use, and the old one is shown", extra={"why": error.strerror})
        else:
            _log.info("a new certificate is shown from now on", extra={"file": str(self._chain)})

    def _show(self, channel: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called in every handshake, also in one that names no host: take what is the newest then."""
        channel.context = self._newest

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self._chain, self._key)
        except OSError as error:
            what = f"no certificate with its key can be read from {self._chain} and {self._key}"
            raise OSError(error.errno, what) from error
        return context

    def _stamps(self) -> _Stamps:
        return tuple(map(_stamp, (self._chain, self._key)))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
