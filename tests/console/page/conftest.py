"""A real Chromium for the tests of the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.console.conftest import Estate
from tests.support.liveconsole import PASSWORD
from tests.support.services import absent


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or absent("chromium", "script/prepare tests installs it")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield found
        found.close()


class Tab:
    """One page, whose mistakes are collected."""

    def __init__(self, browser: Browser, estate: Estate, **options: Any) -> None:
        self.estate, self.mistakes = estate, list[str]()
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.mistakes.append(str(error)))
        self.page.on("console", lambda said: self._note(said.type, said.text))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and "401" not in text:  # who is not logged in yet is told so
            self.mistakes.append(text)

    def go(self, path: str) -> Page:
        """Opens an address of the console."""
        self.page.goto(f"http://127.0.0.1:{self.estate.console.port}{path}")
        return self.page

    def enter(self, user: str = "root", path: str = "/") -> Page:
        """Logs in by the form."""
        page = self.go("/login")
        page.fill("input[name=user]", user)
        page.fill("input[name=password]", PASSWORD)
        page.click("button.main")
        page.wait_for_selector("header.bar")
        return self.go(path) if path != "/" else page


@pytest.fixture
def tab(browser: Browser, estate: Estate) -> Iterator[Tab]:
    found = Tab(browser, estate)
    yield found
    found.context.close()
    assert found.mistakes == []
