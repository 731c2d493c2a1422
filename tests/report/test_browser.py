"""The page in a real browser: no error, no request, what can be clicked. Skipped without Chromium or its driver."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.html import render_html
from tests.report.findings import audit, compared, difference

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="needs Chromium and chromedriver (Debian: chromium-driver)"
)

ARMS = {
    (task, arm, seed): score + 0.01 * seed
    for task in ("segmentation", "detection")
    for arm, score in {"real": 0.35, "source": 0.2, "translated(cut)": 0.25, "translated(fda)": 0.22}.items()
    for seed in (0, 1)
}
PAIRS = {
    ("translated(cut)", "source"): difference(5, 3, 7, "improves"),
    ("translated(fda)", "source"): difference(2, -1, 5, "not decidable"),
    ("real", "source"): difference(15, 13, 17, "improves"),
}
HARM = {"road": difference(-4, -6, -2, "harms"), "sky": difference(1, 0.2, 2, "improves")}


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


Open = Callable[..., WebDriver]


@pytest.fixture
def opened(browser: WebDriver, fake: Any, tmp_path: Path) -> Open:
    """Writes the report of a whole run and opens it at a width."""

    def open_(width: int = 1280, language: str = "en", script: bool = True) -> WebDriver:
        classes = {"road": 0.6, "sky": 0.8, "train": None}
        comparison = compared(ARMS, PAIRS, classes, HARM)
        run = fake(ARMS, translators=("cut", "fda"), comparison=comparison, audits={"cut": audit()})
        report = build_report(run.record(), ReportConfig(language=language), {"name": "trial"})
        path = tmp_path / f"{language}.html"
        path.write_text(render_html(report, 96), encoding="utf-8")
        browser.get_log("browser")
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        still = [{"name": "prefers-reduced-motion", "value": "reduce"}]  # a click does not wait for smooth scrolling
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": still})
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        browser.get(path.as_uri())
        return browser

    return open_


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_opens_without_error_request_or_overflow(opened: Open, width: int, language: str) -> None:
    page = opened(width, language)
    assert [entry for entry in page.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []
    loaded = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    broken = "return [...document.images].filter(i => i.src && !(i.complete && i.naturalWidth)).length"
    assert page.execute_script(broken) == 0


def test_slider_shows_more_or_less_of_before(opened: Open) -> None:
    page = opened()
    stage = page.find_element(By.CSS_SELECTOR, ".compare .stage")
    handle = stage.find_element(By.TAG_NAME, "input")
    before, after = stage.find_element(By.CSS_SELECTOR, ".before"), stage.find_element(By.TAG_NAME, "img")
    middle = before.value_of_css_property("clip-path")
    handle.send_keys(Keys.END)
    end = before.value_of_css_property("clip-path")
    handle.send_keys(Keys.HOME)
    assert len({middle, end, before.value_of_css_property("clip-path")}) == 3
    assert before.get_attribute("src") != after.get_attribute("src")
    shown = after.get_attribute("src")
    page.find_element(By.CSS_SELECTOR, ".compare [name=image] option:nth-child(2)").click()
    assert after.get_attribute("src") != shown
    page.find_element(By.CSS_SELECTOR, ".compare [name=column] option:nth-child(1)").click()
    assert stage.find_element(By.CSS_SELECTOR, ".right").text == "Translated (cut)"


def columns(page: WebDriver, task: str) -> list[str]:
    cells = page.find_elements(By.CSS_SELECTOR, f"table[data-task={task}] thead th[data-class]")
    return [cell.get_attribute("data-class") or "" for cell in cells if cell.is_displayed()]


def test_class_filter_hides_the_other_classes_of_its_task(opened: Open) -> None:
    page = opened()
    buttons = {b.text: b for b in page.find_elements(By.CSS_SELECTOR, ".filter[data-for=segmentation] button")}
    assert columns(page, "segmentation") == ["road", "sky", "train"]
    buttons["sky"].click()
    assert columns(page, "segmentation") == ["sky"]
    assert columns(page, "detection") == ["car", "pedestrian"]
    heights = "return [...document.querySelectorAll('#segmentation svg.fig')].map(e => e.viewBox.baseVal.height)"
    marks = page.find_elements(By.CSS_SELECTOR, "#segmentation svg [data-class=road]")
    assert marks
    assert not any(mark.is_displayed() for mark in marks)
    small = page.execute_script(heights)
    buttons["road"].click()
    assert columns(page, "segmentation") == ["road", "sky"]
    assert [buttons[n].get_attribute("aria-pressed") for n in ("road", "train")] == ["true", "false"]
    buttons["All"].click()
    assert sum(page.execute_script(heights)) > sum(small)
    assert columns(page, "segmentation") == ["road", "sky", "train"]


def test_theme_follows_the_system_until_one_is_chosen(opened: Open) -> None:
    page = opened()

    def ground() -> str:
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    def system(scheme: str) -> None:
        page.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )

    system("light")
    light = ground()
    system("dark")
    dark = ground()
    assert light != dark
    page.find_element(By.ID, "theme").click()
    assert ground() == light
    page.refresh()
    assert ground() == light  # it is kept
    page.find_element(By.ID, "theme").click()
    assert ground() == dark
    page.execute_script("localStorage.clear()")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_a_script_tables_and_pictures_are_there(opened: Open) -> None:
    page = opened(script=False)
    try:
        assert not page.find_element(By.ID, "theme").is_displayed()
        assert not page.find_element(By.CSS_SELECTOR, ".filter").is_displayed()
        assert not page.find_element(By.CSS_SELECTOR, ".compare").is_displayed()
        assert page.find_element(By.CSS_SELECTOR, ".translation .grid img").is_displayed()
        assert page.find_element(By.CSS_SELECTOR, "#segmentation svg").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_top_tells_gates_and_what_broke(opened: Open) -> None:
    page = opened()
    gates = page.find_element(By.ID, "gates").text
    assert "Data sets" in gates
    assert "1 of 2 checks" in gates
    assert "Translated (cut)" in gates
    told = [line.text for line in page.find_elements(By.CSS_SELECTOR, "#broken > ul > li")]
    assert told[0].startswith("Translated (cut), segmentation: road −4.0 [−6.0, −2.0]")
    assert any("31.0 % of Sky is read as another class after translation, 22.0 % as Building" in line for line in told)
