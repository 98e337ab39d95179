"""The browser is that of the page's tests."""

from tests.browser.conftest import browser

__all__ = ["browser"]
