"""Tests of whom connections trust."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from gibswatch.download.tls import ssl_context
from gibswatch.errors import UsageError


def test_without_a_file_the_system_is_trusted() -> None:
    assert ssl_context(None) is True


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_that_holds_none_is_refused_with_its_name(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=r"--ca-bundle .*authorities\.pem is not a readable PEM"):
        ssl_context(str(file))


def test_certificates_of_a_file_are_still_checked() -> None:
    file = ssl.get_default_verify_paths().cafile
    if not file:
        pytest.skip("this system has no file of certificate authorities")
    context = ssl_context(file)
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
