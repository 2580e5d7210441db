"""The page that ``stochreset report`` writes, in a browser: Debian's chromium, driven by Playwright."""

import json
import shutil
import subprocess
from math import log

import pytest

from .small_studies import HOSTILE, SEARCH, write_page_alone, write_study

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
THRESHOLDS = ("60", "90.5", "91", "91.5", "200")

CONTRAST = """() => {
  const parse = (colour) => { const n = colour.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => a * c + (1 - a) * below[i]);
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = (colour) => colour.map((c) => linear(c / 255))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour[3] > 0) return over(colour, [255, 255, 255]);
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.getClientRects().length) continue;
    const style = getComputedStyle(node), below = ground(node);
    let opacity = 1;
    for (let each = node; each; each = each.parentElement) opacity *= Number(getComputedStyle(each).opacity);
    const ink = parse(node instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(over([...ink.slice(0, 3), ink[3] * opacity], below)), light(below)];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install 'stochreset[dev]'"
    )
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(browser, tmp_path_factory):
    """A report of a file that wants to run scripts, with an easy and a hard threshold among others."""
    folder = tmp_path_factory.mktemp("browser")
    runs = write_study(folder / "runs.h5", first=HOSTILE, optimize=SEARCH)
    return write_page_alone(runs, folder, [float(each) for each in THRESHOLDS])


@pytest.fixture
def visit(browser, report):
    """Open the page; at the end there must have been no message, error or request but for the page itself."""
    opened, messages, requests = [], [], []

    def call(path=report, **settings):
        context = browser.new_context(**settings)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda dialog: (messages.append(dialog.message), dialog.dismiss()))
        context.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield call
    for context in opened:
        context.close()
    assert messages == []
    assert set(requests) <= {report.as_uri()}


def embedded(page):
    return json.loads(page.locator("#data").text_content())


def curve(page, panel, kind):
    """Coordinates of a drawn line."""
    return page.locator(f"#panel{panel} path.{kind}").first.get_attribute("d")


def cells(page, table):
    rows = page.locator(f"#{table} tbody tr")
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")


def test_page_opens_without_messages_or_requests(visit, tmp_path):
    page = visit()
    assert page.locator("#live").is_visible() and page.locator("#panels svg").count() == 3
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "test accuracy at least 91"
    assert page.get_by_role("slider", name="Threshold: test accuracy at least").count() == 1
    image = page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert image.startswith(b"\x89PNG") and len(image) > 50_000


def test_policy_stops_injected_scripts_and_requests(browser, report, tmp_path):
    page = browser.new_page()
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    altered = report.read_text(encoding="utf-8").replace(
        "</main>",
        '</main><img src="https://example.org/x.png" onerror="window.harm=1"><script>window.harm=1</script>',
    )
    (tmp_path / "altered.html").write_text(altered, encoding="utf-8")
    page.goto((tmp_path / "altered.html").as_uri())
    assert page.evaluate("window.harm") is None
    assert sum("Content Security Policy" in each for each in problems) >= 2
    page.close()


def test_arrow_keys_move_the_slider_to_precomputed_numbers(visit):
    page = visit()
    data = embedded(page)
    drawn = {}
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    for n, threshold in enumerate(THRESHOLDS):
        position = data["positions"][n]
        assert page.locator("#threshold-value").text_content() == threshold == position["label"]
        valuetext = page.get_by_role("slider").get_attribute("aria-valuetext")
        assert valuetext == f"test accuracy at least {threshold}"
        assert page.locator("#sentence").text_content() == position["sentence"]
        assert cells(page, "live-ranking") == position["rows"]
        for k, name in enumerate(data["perturbations"]):
            rows = position["predict"][name]["rows"] if position["possible"] else []
            assert cells(page, f"live-points{k}") == rows
        drawn[threshold] = curve(page, 0, "line"), page.locator("#panel1").inner_html()
        page.keyboard.press("ArrowRight")
    assert len({curves for curves, _ in drawn.values()}) == len({panel for _, panel in drawn.values()}) == 5
    assert "No prediction at this threshold." in drawn["60"][1]
    page.keyboard.press("ArrowLeft")
    assert page.locator("#threshold-value").text_content() == "91.5"


def test_curves_are_drawn_where_the_numbers_are(visit):
    page = visit()
    data = embedded(page)
    position, (low, high) = data["positions"][data["chosen"]], data["axes"]["mean"]
    measured = position["predict"]["shrink_perturb"]["measured"]
    n = 1 + data["perturbations"].index("shrink_perturb")
    frame = page.locator(f"#panel{n} rect.axis").evaluate("r => [r.y.baseVal.value, r.height.baseVal.value]")
    shown = page.locator(f"#panel{n} .dot title").all_text_contents()
    assert [f"period {m['period']}: " in text for m, text in zip(measured, shown, strict=True)] == [
        True,
        True,
    ]
    for m, path in zip(measured, page.locator(f"#panel{n} path.error").all(), strict=True):
        _, ends = path.get_attribute("d").split(" ", 1)
        drawn = [float(end) for end in ends.split("M")[0].split("V")]
        expected = [
            frame[0] + frame[1] * (1 - log(m[end] / low) / log(high / low)) for end in ("low", "high")
        ]
        assert drawn == pytest.approx(expected, abs=0.01)


def test_focus_is_visible(visit):
    page = visit()
    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        tag, width, style = page.evaluate(
            "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineWidth, "
            "getComputedStyle(document.activeElement).outlineStyle]"
        )
        seen.add(tag)
        assert (width, style) == ("3px", "solid")
    assert {"A", "SUMMARY", "DIV"} <= seen
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#threshold").evaluate("s => getComputedStyle(s).outlineStyle") == "solid"


def test_contrast_of_all_text(visit):
    page = visit()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = page.evaluate(CONTRAST)
    assert len(found) > 300
    assert [each for each in found if each[0] < 4.5] == []
    # The measure itself: grey on white.
    page.evaluate("document.querySelector('h1').style.color = '#999'")
    assert min(page.evaluate(CONTRAST))[0] == pytest.approx(2.85, abs=0.02)


@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_is_wider_than_the_screen(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#panels svg").first.bounding_box()["width"] <= width
    before = page.locator("#panels svg").first.bounding_box()["width"]
    page.set_viewport_size({"width": 320, "height": 800})
    page.wait_for_function(
        "(before) => document.querySelector('#panels svg').clientWidth < before", arg=before
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_print_to_pdf(visit, tmp_path):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator("#live").is_visible() and page.locator("#figure1 svg").is_visible()
    for box in (each.bounding_box() for each in page.locator("figure").all()):
        assert box["height"] < 900  # of A4 between its margins, 1,017
    content = page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert content.startswith(b"%PDF")
    if shutil.which("pdftotext"):
        text = subprocess.run(
            ["pdftotext", tmp_path / "page.pdf", "-"], capture_output=True, text=True
        ).stdout
        assert "Evidence at threshold 91" in text and "stochreset report" in text
        assert "Move it with the arrow keys" not in text


def test_without_script_the_figures_are_there(visit):
    page = visit(java_script_enabled=False)
    assert not page.locator("#live").is_visible()
    assert "The slider needs JavaScript" in page.locator("noscript").inner_text()
    assert page.locator("figure svg.plot").count() == 9
    assert all(each.is_visible() for each in page.locator("figure svg.plot").all())
