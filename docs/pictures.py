"""Draws the README's pictures from a finished smoke run (``make pictures``); needs Chromium and its driver."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tasks.contracts import RunRecord
from tasks.datasets import SampleTable

HERE = Path(__file__).parent
RUN, STORE = Path("runs/smoke"), Path(".store")
WIDTH, HEIGHT = 1280, 860  # of the page that is shown, in pixels
CAPTION, GAP = 26, 6
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def main() -> None:
    """Write ``strip.webp`` and ``report.webp``."""
    record = RunRecord.from_json((RUN / "run.json").read_bytes(), STORE.resolve())
    strip(record).save(HERE / "pictures" / "strip.webp", quality=82, method=6)
    page(RUN / "report" / "report.html").save(HERE / "pictures" / "report.webp", quality=70, method=6)


def strip(record: RunRecord) -> Image.Image:
    """One source image, as each translator made it, and a real image."""
    source = SampleTable.read(record.source.path)
    busiest = max(source, key=lambda sample: len(sample.boxes or ()))
    tiles = {"simulator": busiest.image}
    for name, artifact in record.translated.items():
        if name != "identity":
            tiles[name] = next(s.image for s in SampleTable.read(artifact.path) if s.id == busiest.id)
    tiles["real"] = max(SampleTable.read(record.target.path), key=lambda sample: len(sample.boxes or ())).image
    width, height = busiest.width, busiest.height
    columns = len(tiles)
    sheet = Image.new("RGB", (columns * width + (columns - 1) * GAP, height + CAPTION), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(FONT), 15)
    for column, (name, path) in enumerate(tiles.items()):
        x = column * (width + GAP)
        sheet.paste(Image.open(path).convert("RGB"), (x, CAPTION))
        draw.text((x + 2, 4), name, "black", font)
    return sheet


def page(path: Path) -> Image.Image:
    """The top of a report, as a browser shows it."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium") or shutil.which("google-chrome"))
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver")))) as driver:
        driver.get(path.resolve().as_uri())
        return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")


if __name__ == "__main__":
    main()
