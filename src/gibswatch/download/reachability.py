"""Whether there is a server at all."""

from __future__ import annotations

from gibswatch.errors import ServerUnreachableError

__all__ = ["Reachability"]

_REFUSALS_BEFORE_GIVING_UP = 10


class Reachability:
    """Counts refused connections, so that a run ends early where there is no server at all.

    Parameters
    ----------
    base_url : str
        Of the server, for the message.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._answered = False
        self._refusals = 0

    def answered(self) -> None:
        """Note that a connection was made once: from now on refusals are only failures."""
        self._answered = True

    def refused(self, reason: str) -> None:
        """Note that no connection could be made.

        Raises
        ------
        ServerUnreachableError
            With the tenth refusal, if there never was an answer.
        """
        self._refusals += 1
        if not self._answered and self._refusals >= _REFUSALS_BEFORE_GIVING_UP:
            raise ServerUnreachableError(
                f"no connection to {self._base_url} ({reason}): check the network, the proxy "
                "settings, --ca-bundle or --base-url, and run the same command again"
            )
