"""The words that GIBS asks for wherever its imagery is shown."""

from __future__ import annotations

__all__ = ["ACKNOWLEDGEMENT"]

ACKNOWLEDGEMENT = (
    "We acknowledge the use of imagery provided by services from NASA's Global Imagery Browse "
    "Services (GIBS), part of NASA's Earth Science Data and Information System (ESDIS)."
)
"""Source: GIBS documentation, ``nasa-gibs/gibs-api-docs``, "Acknowledgement"."""
