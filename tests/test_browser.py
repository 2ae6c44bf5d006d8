"""A real browser reads the archive: every page, light and dark, wide and narrow, and nothing in it acts on its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browsing import add_capture, fill
from capabilities import AXE, AXE_FILE, BROWSER, CACHE, need_programs, unavailable
from sample_archive import add_article, add_revision
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait
from sqlite_utils import Database
from test_reading_room import ADDRESSES, keep_picture

from uknip_crawler.browse.replay import REPLAY_POLICY

PAGE_SECONDS = 60
SETTLING_SECONDS = 1
DATASETTES_OWN = ["/uknip", "/uknip/articles", "/uknip/articles/3", "/uknip/newest", "/uknip/furniture"]


def hostile_page(elsewhere: str) -> bytes:
    """Return a page that tries every way out to another server that there is without a click, and one with."""
    ways = (
        "<script src={0}/script></script><script>fetch('{0}/fetch'); top.location = '{0}/top'; document.title = 'ran'</script>",
        "<link rel=stylesheet href={0}/sheet><link rel=preconnect href={0}><link rel=prefetch href={0}/prefetch>",
        "<link rel=preload as=image href={0}/preload><link rel=icon href={0}/icon><link rel=dns-prefetch href={0}>",
        "<meta http-equiv=refresh content='0;url={0}/refresh'><base href={0}/base/>",
        "<style>@import '{0}/import'; @font-face {{ font-family: f; src: url({0}/font) }} body {{ background: url({0}/back) }}",
        "p {{ font-family: f; background: u\\72l({0}/escaped); content: image-set('{0}/set' 1x) }} </style>",
        "<p style=\"background:url('{0}/inline');list-style-image:u\\72l({0}/list)\">Text</p>",
        "<img src={0}/img srcset='{0}/srcset 2x'><picture><source srcset={0}/source><img src={0}/in></picture>",
        "<img src=x onerror=\"new Image().src='{0}/onerror'\"><body background={0}/body><table background={0}/table></table>",
        "<iframe src={0}/iframe></iframe><iframe srcdoc='<img src={0}/srcdoc>'></iframe><embed src={0}/embed>",
        "<object data={0}/object></object><video src={0}/video poster={0}/poster autoplay></video><audio src={0}/audio autoplay></audio>",
        "<svg><image href={0}/svg /><use href='{0}/use#a'/><style>@import '{0}/svg-style'</style><script>fetch('{0}/s')</script></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src={0}/mxss&gt;'></mglyph></table></mtext></math>",
        "<noscript><p title=\"</noscript><img src={0}/noscript onerror=fetch('{0}/n')>\"></noscript>",
        "<input type=image src={0}/input autofocus onfocus=fetch('{0}/focus')><form id=f action={0}/form></form>",
        "<a id=out href={0}/click ping={0}/ping target=_top>Away</a><a href='javascript:fetch(\"{0}/js\")'>Script</a>",
    )
    return "".join(ways).replace("{{", "{").replace("}}", "}").replace("{0}", elsewhere).encode()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another server: its address, and what was asked of it. `/hostile` is that page; `/walled` the same under the policy
    of a replay alone, unclean."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def setup(self) -> None:
            super().setup()
            asked.append("a connection")

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-type", "text/html")
            if self.path == "/walled":
                self.send_header("content-security-policy", REPLAY_POLICY)
            self.end_headers()
            if self.path in ("/hostile", "/walled"):
                self.wfile.write(hostile_page(f"http://127.0.0.1:{server.server_port}"))

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, elsewhere: tuple[str, list[str]]) -> Iterator[str]:
    """The address of a reading room that `uknip browse` serves in a process of its own."""
    archive = fill(tmp_path_factory.mktemp("served"))
    db = Database(archive / "uknip.db")
    keep_picture(archive, db, 1)
    story = add_article(
        db,
        "/edited/",
        "Two held",
        "Two men were held.\n\nThe road is shut.",
        revision_count=2,
        published_at="2024-07-01T09:00:00Z",
    )
    add_revision(db, story, 2, "Three held", "Three men were held.\n\nThe road is shut.")
    db.close()
    add_capture(archive, 2, hostile_page(elsewhere[0]))
    command = [sys.executable, "-m", "uknip_crawler", "browse", "--no-open", "--port", "0"]
    with subprocess.Popen(
        [*command, "--archive", str(archive)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split(" is at ")[1].split(" ")[0].rstrip("/")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Iterator[Chrome]:
    """Headless Chromium with a profile of its own."""
    need_programs(*BROWSER)
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for switch in (
        "headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-background-networking",
        "disable-component-update", "disable-sync", "no-first-run", "no-proxy-server",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(f"--{switch}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility checker's source, kept between sessions in UKNIP_TEST_CACHE."""
    if not AXE_FILE.exists():
        need_programs("npm")
        CACHE.mkdir(parents=True, exist_ok=True)
        folder = tmp_path_factory.mktemp("axe")
        packed = subprocess.run(
            ["npm", "pack", AXE, "--silent", "--pack-destination", str(folder)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if packed.returncode:
            unavailable(f"{AXE} cannot be had: {packed.stderr[-200:]}")
        with tarfile.open(folder / packed.stdout.split()[-1]) as tarball:
            source = tarball.extractfile("package/axe.min.js")
            assert source
            AXE_FILE.write_bytes(source.read())
    return AXE_FILE.read_text("utf-8")


def complaints(browser: Chrome) -> list[str]:
    """Return what the browser's console says of the page, but for files that are not there."""
    return [entry["message"] for entry in browser.get_log("browser") if "404" not in entry["message"]]


def show(browser: Chrome, *, dark: bool = False, width: int = 1200) -> None:
    browser.set_window_size(width, 900)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def grave(browser: Chrome, axe: str) -> list[str]:
    """Return what the checker finds serious or critical, with the elements it means."""
    browser.execute_script(axe)
    found: dict[str, Any] = browser.execute_async_script("axe.run().then(arguments[0])")
    return [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def follow(browser: Chrome, element: tuple[str, str], *keys: str) -> None:
    """Press keys that lead to another page, and wait until that page is there."""
    left = browser.find_element(By.TAG_NAME, "html")
    browser.find_element(*element).send_keys(*keys)
    in_time(browser).until(expected_conditions.staleness_of(left))
    in_time(browser).until(lambda _: browser.execute_script("return document.readyState") == "complete")


def in_time(browser: Chrome) -> WebDriverWait[Chrome]:
    return WebDriverWait(browser, PAGE_SECONDS)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible(browser: Chrome, address: str, axe: str, dark: bool) -> None:
    """The checker finds nothing serious; the browser has nothing to complain of."""
    show(browser, dark=dark)
    for path in [*ADDRESSES, "/read/story/4/compare", "/read/nothing"]:
        browser.get(address + path)
        assert grave(browser, axe) == [], path
        assert complaints(browser) == [], path


def test_every_page_fits_a_phone(browser: Chrome, address: str) -> None:
    """Also with the largest text; nothing but tables scrolls sideways, and those in a frame of their own."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        browser.get(f"{address}/read/looks?text=largest")
        for path in [*ADDRESSES, "/read/story/4/compare"]:
            browser.get(address + path)
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= 390, (path, width)
    finally:
        browser.delete_all_cookies()
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_datasettes_own_pages_stay_usable(browser: Chrome, address: str) -> None:
    """Their scripts run under the policy, and the browser refuses none."""
    show(browser)
    for path in DATASETTES_OWN:
        browser.get(address + path)
        assert complaints(browser) == [], path
    browser.get(f"{address}/uknip?sql=select+1")
    editor = (By.CSS_SELECTOR, ".CodeMirror, .cm-editor")
    in_time(browser).until(expected_conditions.presence_of_element_located(editor))


def test_a_reader_searches_opens_a_story_and_compares(browser: Chrome, address: str) -> None:
    """From the front page, with the keyboard."""
    show(browser)
    browser.get(address)
    follow(browser, (By.ID, "q"), "held", Keys.ENTER)
    assert browser.find_element(By.CSS_SELECTOR, ".hits mark").text == "held"
    follow(browser, (By.PARTIAL_LINK_TEXT, "Two held"), Keys.ENTER)
    assert browser.find_element(By.TAG_NAME, "h1").text == "Two held"
    follow(browser, (By.CSS_SELECTOR, "form.compare button"), Keys.ENTER)
    gone = [element.text for element in browser.find_elements(By.TAG_NAME, "del")]
    come = [element.text for element in browser.find_elements(By.TAG_NAME, "ins")]
    assert (gone, come) == (["Two", "Two"], ["Three", "Three"])


def test_the_first_key_leads_past_the_menu(browser: Chrome, address: str) -> None:
    """Tab, Enter: the page itself has the focus."""
    browser.get(address)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the page"
    skip.send_keys(Keys.ENTER)
    in_time(browser).until(lambda _: browser.switch_to.active_element.get_attribute("id") == "main")


def test_keys_lead_to_search_on_back_and_to_their_list(browser: Chrome, address: str) -> None:
    """From anywhere but a field; and not when the reader wants none."""
    show(browser)
    body = (By.TAG_NAME, "body")
    browser.get(f"{address}/read/story/4")
    follow(browser, body, "p")
    assert browser.find_element(By.TAG_NAME, "h1").text == "Road closed near harbour"
    follow(browser, body, "n")
    assert browser.find_element(By.TAG_NAME, "h1").text == "Two held"
    browser.find_element(*body).send_keys("/")
    box = browser.switch_to.active_element
    assert box.get_attribute("type") == "search"
    box.send_keys("n/?p")
    assert box.get_attribute("value") == "n/?p"
    browser.get(f"{address}/read/search")
    browser.find_element(*body).send_keys("?")
    assert browser.find_element(By.ID, "keys").is_displayed()
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not browser.find_element(By.ID, "keys").is_displayed()
    assert complaints(browser) == []
    follow(browser, (By.XPATH, "//p[@class='looks']/a[.='off']"), Keys.ENTER)
    browser.find_element(*body).send_keys("/")
    assert browser.switch_to.active_element.tag_name == "body"
    browser.delete_all_cookies()


def test_a_kept_picture_is_seen(browser: Chrome, address: str) -> None:
    """Its pixels arrive from the archive."""
    browser.get(f"{address}/read/pictures")
    picture = browser.find_element(By.CSS_SELECTOR, ".wall img")
    browser.execute_script("arguments[0].scrollIntoView()", picture)
    assert browser.execute_async_script("arguments[0].decode().then(arguments[1])", picture) is None
    assert picture.get_property("naturalWidth") == 320


def test_a_file_is_taken_away(browser: Chrome, address: str, downloads: Path) -> None:
    """The table of articles as CSV, through the link that Datasette offers."""
    browser.get(f"{address}/uknip/articles.csv?_stream=on&_dl=1&_size=max")
    file = downloads / "articles.csv"
    in_time(browser).until(lambda _: file.exists() and "Road closed near harbour" in file.read_text("utf-8"))


@pytest.mark.fault("E03")
@pytest.mark.parametrize("path", ["/", "/read/search", "/read/story/3", *DATASETTES_OWN])
def test_a_hostile_story_does_nothing(browser: Chrome, address: str, path: str) -> None:
    """No script of it runs, no picture of it loads, no dialogue opens."""
    browser.get(address + path)
    ran = "return [document.querySelectorAll('img[src=x], [onerror]').length, performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length]"
    assert browser.execute_script(ran) == [0, 0]
    assert complaints(browser) == []


@pytest.mark.fault("E03")
def test_a_replayed_page_asks_nothing_of_anyone(
    browser: Chrome, address: str, elsewhere: tuple[str, list[str]]
) -> None:
    """Not even a connection: no script, style, picture, frame or refresh of it, and no click. What is let through unclean
    would still be held by the frame's policy; seen plainly, the page asks for many things."""
    other, asked = elsewhere
    show(browser)
    browser.get(f"{address}/read/story/2/page")
    browser.switch_to.frame(0)
    browser.find_element(By.ID, "out").click()
    assert browser.find_element(By.TAG_NAME, "p").text == "Text"
    assert browser.title != "ran"
    browser.switch_to.default_content()
    time.sleep(SETTLING_SECONDS)
    assert asked == []
    assert browser.current_url.startswith(address)
    assert complaints(browser) == []
    browser.get(f"{other}/walled")
    time.sleep(SETTLING_SECONDS)
    assert {path for path in asked if path.startswith("/")} == {"/walled"}
    complaints(browser)  # of what the policy refused
    browser.get(f"{other}/hostile")
    in_time(browser).until(lambda _: len({*asked}) > 10)
    browser.get("about:blank")
    complaints(browser)
