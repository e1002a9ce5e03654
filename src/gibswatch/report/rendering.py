"""Templates to pages that ask nobody for anything and run no script but their own."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

__all__ = ["render_page"]

_SCRIPT = "report.js"


def render_page(template: str, **values: object) -> bytes:
    """Fill in a template.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/``.
    **values
        What it names; of a text every sign of HTML is escaped.  The script and the hash by which
        the page's policy lets it run come besides, as ``script`` and ``script_hash``.
    """
    environment = Environment(
        loader=PackageLoader("gibswatch.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = environment.get_template(_SCRIPT).render()
    digest = hashlib.sha256(script.encode()).digest()
    page = environment.get_template(template).render(
        **values, script=script, script_hash=base64.b64encode(digest).decode()
    )
    return page.encode()
