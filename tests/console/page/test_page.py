"""The page in a real Chromium, on a real console, hub and initd."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.console.conftest import Estate
from tests.console.page.conftest import Tab
from tests.support.liveconsole import LiveConsole

pytestmark = pytest.mark.browser
SECONDS = 30_000


def test_who_is_nobody_is_asked_to_log_in_and_comes_to_the_fleet(tab: Tab) -> None:
    page = tab.go("/")
    expect(page).to_have_url(re.compile("/login$"))
    page.fill("input[name=user]", "root")
    page.fill("input[name=password]", "not the password")
    page.click("button.main")
    expect(page.get_by_role("alert")).to_contain_text("name or password is wrong")
    page = tab.enter()
    expect(page.locator("[data-agent]")).to_have_count(2)
    expect(page.locator(".counter", has_text="agents")).to_contain_text("2")


def test_counters_filter_and_the_address_keeps_it(tab: Tab) -> None:
    page = tab.enter()
    expect(page.locator(".counter", has_text="failing")).to_contain_text("2")
    page.fill("#search", "red")
    expect(page.locator("[data-agent]")).to_have_count(1)
    page.click(".counter:has-text('lost')")
    expect(page.locator("[data-agent]")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"q=red&only=lost"))
    page.reload()
    expect(page.locator("#search")).to_have_value("red")


def test_a_program_is_restarted_after_one_question(tab: Tab) -> None:
    page = tab.enter()
    page.click("[data-agent] a.name:has-text('red-1')")
    row = page.locator("table.programs tr", has_text="web")
    before = tab.estate.agents[1].pid_of("web")
    row.get_by_role("checkbox").check()
    page.click("button:has-text('restart 1')")
    expect(page.get_by_role("dialog")).to_contain_text("restart 1 program(s) of red-1?")
    page.click("button.danger")
    expect(page.locator(".toast")).to_contain_text("restart: done")
    assert tab.estate.agents[1].pid_of("web") != before
    expect(page.locator(".timeline")).to_contain_text("root via console")


def test_a_change_in_a_container_reaches_the_page(tab: Tab) -> None:
    page = tab.enter()
    page.click("[data-agent] a.name:has-text('blue-1')")
    cell = page.locator("table.programs tr", has_text="web").locator(".state")
    expect(cell).to_contain_text("RUNNING")
    assert tab.estate.agents[0].verb("stop", "web").returncode == 0
    expect(cell).to_contain_text("STOPPED", timeout=SECONDS)
    assert tab.estate.agents[0].verb("start", "web").returncode == 0
    expect(cell).to_contain_text("RUNNING", timeout=SECONDS)


@pytest.mark.parametrize(("name", "scheme"), [("fleet", "light"), ("container", "dark")])
def test_the_pictures_of_the_docs_are_of_this_page(
    browser: Browser, estate: Estate, tmp_path: Path, name: str, scheme: str
) -> None:
    """With PIDONE_PICTURES=docs they are made anew there."""
    tab = Tab(browser, estate, color_scheme=scheme, viewport={"width": 1000, "height": 420})
    page = tab.enter()
    expect(page.locator("[data-agent]")).to_have_count(2)
    if name == "container":
        page.click("[data-agent] a.name:has-text('blue-1')")
        expect(page.locator("table.programs tbody tr")).to_have_count(3)
    picture = Path(os.environ.get("PIDONE_PICTURES", tmp_path)) / f"console-{name}.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000
    tab.context.close()


def test_a_viewer_has_no_verbs(tab: Tab) -> None:
    tab.estate.user("vera", "viewer")
    page = tab.enter("vera")
    page.click("[data-agent] a.name >> nth=0")
    expect(page.locator("table.programs")).to_be_visible()
    expect(page.locator(".verbs")).to_have_count(0)
    expect(page.get_by_role("link", name="Users")).to_have_count(0)


@pytest.mark.parametrize("screen", ["Events", "Exits", "Alerts", "Commands", "Hubs", "Users"])
def test_each_screen_opens(tab: Tab, screen: str) -> None:
    page = tab.enter()
    page.get_by_role("link", name=screen, exact=True).click()
    expect(page.get_by_role("heading", name=screen)).to_be_visible()
    expect(page.locator(".problem")).to_have_count(0)
    page.go_back()
    expect(page.locator("[data-agent]")).to_have_count(2)


def test_the_keyboard_is_enough(tab: Tab) -> None:
    page = tab.enter()
    expect(page.locator("[data-agent]")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".row.at")).to_contain_text("blue-1")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("blue-1")
    page.keyboard.press("g")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.locator("body").click(position={"x": 5, "y": 790})
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_dark_and_light(tab: Tab) -> None:
    page = tab.enter()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    page.wait_for_selector("header.bar")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_phone_scrolls_in_one_direction(browser: Browser, estate: Estate) -> None:
    tab = Tab(browser, estate, viewport={"width": 360, "height": 700})
    page = tab.enter()
    for screen in ("/", "/events", "/commands"):
        tab.go(screen)
        page.wait_for_selector("main")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, screen
    tab.context.close()
    assert tab.mistakes == []


HOSTILE = "<img src=x onerror=alert(1)>\u202egnp"


def test_hostile_names_are_text(browser: Browser, estate: Estate) -> None:
    """A user's name goes through REST into the page as any other name does."""
    made = estate.root.api("POST", "/users", {"user": "<b>eve</b>", "password": "four random words, say"})
    assert made.status in (201, 409)
    tab = Tab(browser, estate)
    page = tab.enter(path="/users")
    expect(page.locator("td", has_text="<b>eve</b>")).to_be_visible()
    assert page.locator("td b").count() == 0
    assert page.evaluate(f"import('/static/words.js').then(words => words.plain({HOSTILE!r}))") == (
        "<img src=x onerror=alert(1)>\\u202egnp"
    )
    tab.context.close()
    assert tab.mistakes == []


def test_a_hub_that_is_away_is_said_and_the_page_heals(browser: Browser, estate: Estate) -> None:
    tab = Tab(browser, estate)
    page = tab.enter()
    expect(page.locator("[data-agent]")).to_have_count(2)
    estate.hub.kill(signal.SIGKILL)
    try:
        expect(page.locator(".notice")).to_contain_text("no hub answers since", timeout=SECONDS)
        expect(page.locator("main.old")).to_be_visible()
    finally:
        estate.hub.start()
    expect(page.locator(".notice")).to_have_count(0, timeout=60_000)
    expect(page.locator("[data-agent]")).to_have_count(2)
    tab.context.close()


def test_the_first_one_comes_in_by_the_code_below_a_path(browser: Browser, estate: Estate, tmp_path: Path) -> None:
    more = "public_url = http://127.0.0.1/ops/pidone\n"
    console = LiveConsole(tmp_path / "second", [estate.hub], more, "/ops/pidone").start()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{console.port}/ops/pidone/")
    page.fill("input[name=code]", console.code)
    page.fill("input[name=user]", "first")
    page.fill("input[name=password]", "four random words, say")
    page.click("button.main")
    expect(page.locator("[data-agent]")).to_have_count(2, timeout=SECONDS)
    console.kill()
    expect(page.locator(".notice")).to_contain_text("the console does not answer", timeout=SECONDS)
    console.start()
    expect(page.locator(".notice")).to_have_count(0, timeout=60_000)  # nobody had to log in again
    context.close()
    console.stop()
