"""The pages: links lead somewhere, in the repository and on the site, and the site builds."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

import zoo
from zoo import metrics

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "api").glob("*.md"),
    *(ROOT / "docs" / "tutorials").glob("*.md"),
    *(path for path in (ROOT / "docs" / "tutorials").glob("*.py") if path.stem != "run"),
]


def anchors(path):
    """The anchors that GitHub gives the headings of a page; MyST gives the same."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^(?:# )?#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(path):
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(ROOT) and target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_has_every_page():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    pages |= {f"../{path.name}" for path in ROOT.glob("*.md")}
    assert sorted(name for name in pages if f"({name})" not in index) == []


@pytest.mark.parametrize("preset", ["bigan_fashion_mnist", "ali_fashion_mnist"])
def test_the_page_on_the_objective_quotes_the_cards(preset):
    card = (ROOT / "zoo" / "presets" / preset / "card.md").read_text(encoding="utf-8")
    small, middle, large = re.findall(r"([\d.]+) ± [\d.]+ % \(p = \d+\)", card)
    page = (ROOT / "docs" / "objective.md").read_text(encoding="utf-8")
    assert f"in {small}, {middle} and {large} %" in page


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The directory of the built site; warnings are errors."""
    for module in ("sphinx", "myst_parser", "furo"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: pip install 'encoder-gan-zoo[docs]'")
    out = tmp_path_factory.mktemp("site")
    # As in `make docs`.
    command = [sys.executable, "-m", "sphinx", "-E", "-W", "--keep-going", "-c", "docs"]
    trees = ["-d", str(tmp_path_factory.mktemp("trees"))]
    built = subprocess.run(
        [*command, *trees, "-b", "html", ".", str(out)], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr[-4000:]
    return out


@pytest.mark.slow
def test_the_site_builds_and_has_the_reference(site):
    methods = (site / "docs" / "api" / "methods.html").read_text(encoding="utf-8")
    for game_class in (zoo.METHODS | zoo.CONSTRUCTIONS).values():
        assert f'.{game_class}"' in methods
    assert "https://arxiv.org/abs/1605.09782" in methods
    text = re.sub(r"<[^>]+>", "", methods)
    assert "BiGAN(image_shape, instance_noise=0.0, **game)" in text
    listed = (site / "docs" / "api" / "metrics.html").read_text(encoding="utf-8")
    functions = [name for name in metrics.__all__ if callable(getattr(metrics, name))]
    assert [name for name in functions if f'.{name}"' not in listed] == []


@pytest.mark.slow
def test_every_link_of_the_site_leads_to_a_page_and_a_place_in_it(site):
    pages = list(site.rglob("*.html"))
    ids = {p: set(re.findall(r'\bid="([^"]+)"', p.read_text(encoding="utf-8"))) for p in pages}
    seen = 0
    for page in pages:
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.split("?")[0].partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.exists(), (page.name, link)
            if anchor and target in ids:
                assert anchor in ids[target], (page.name, link)
            seen += 1
    assert seen > 1000


@pytest.mark.slow
def test_tutorials_of_the_site_show_text_code_and_what_it_printed(site):
    page = (site / "docs" / "tutorials" / "counterexample.html").read_text(encoding="utf-8")
    assert "largest |E(G(z)) - z|: 0.0" in page  # printed
    assert page.count("<img") >= 3 and "highlight-python" in page
    assert "Question to the class." in page and "# Question" not in page


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "docs/tutorials/first_bigan", "docs/api/methods"])
def test_a_page_in_a_browser_asks_for_nothing_elsewhere_and_fits_a_phone(site, browser, name):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto((site / f"{name}.html").as_uri())
    page.locator("article h1").first.wait_for()  # the first of them leads on to another page
    assert all(url.startswith((site.as_uri(), "data:")) for url in asked) and not failed
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
