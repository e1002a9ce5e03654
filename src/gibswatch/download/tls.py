"""Whom connections trust: the certificate authorities of the system, or those of a file."""

from __future__ import annotations

import ssl

from gibswatch.errors import UsageError

__all__ = ["ssl_context"]


def ssl_context(ca_bundle: str | None) -> ssl.SSLContext | bool:
    """Return what aiohttp takes as its ``ssl``; True, its own default, without a file.

    Parameters
    ----------
    ca_bundle : str or None
        PEM file of certificate authorities.

    Raises
    ------
    UsageError
        If the file cannot be read.
    """
    if ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"--ca-bundle {ca_bundle} is not a readable PEM file: {error}") from error
