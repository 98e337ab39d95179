"""The web page of a peer: static files, without a build step."""

from pathlib import Path

__all__ = ["static_dir"]


def static_dir() -> Path:
    """Return the folder to serve as it is, at the root of the peer's address.

    `index.html` in it is the page. Every link in it is relative, and it asks for nothing from any
    other host, so that it runs under the policy `default-src 'self'`.
    """
    return Path(__file__).parent / "static"
