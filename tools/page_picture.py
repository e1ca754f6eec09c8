"""A picture of the page to try served models, docs/demo.png, or of any other page.

usage: python tools/page_picture.py http://127.0.0.1:8501/ [OUT.png]
       python tools/page_picture.py build/docs/docs/index.html OUT.png

Opens an address or a file in Chromium and writes a picture of the whole page. On the page of a
running server it first moves the first slider by the keyboard and joins two samples. Needs
Playwright (extra test) and an installed Chromium.
"""

import pathlib
import shutil
import sys


def main(argv: list) -> int:
    """Write the picture; 2 and one line if something is missing."""
    if not 2 <= len(argv) <= 3:
        print(__doc__, file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        try:
            browser = chromium(started)
        except FileNotFoundError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        file = pathlib.Path(argv[1])
        page.goto(file.resolve().as_uri() if file.exists() else argv[1])
        if page.locator("#sliders").count():
            _use(page)
        page.screenshot(path=argv[2] if len(argv) > 2 else "docs/demo.png", full_page=True)
        browser.close()
    return 0


def chromium(playwright):
    """The installed Chromium, started by a running Playwright.

    Raises:
        FileNotFoundError: Chromium is not installed.
    """
    for name in ("chromium", "chromium-browser", "chrome"):
        if path := shutil.which(name):
            # As root, which containers often are, Chromium runs without its sandbox alone.
            return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    raise FileNotFoundError("Chromium is not installed")


def _use(page):
    """Move a slider of the page of models, and join two samples."""
    ready = page.locator("#status:empty")
    ready.wait_for(state="attached")
    page.get_by_role("button", name="The image above is the first").click()
    page.locator("#samples button").nth(2).click()
    ready.wait_for(state="attached")
    page.get_by_role("button", name="The image above is the last").click()
    page.locator("#strip canvas").nth(8).wait_for()
    page.locator("#axis-0").focus()
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    ready.wait_for(state="attached")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
