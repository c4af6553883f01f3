# SPDX-License-Identifier: GPL-3.0-or-later
"""
What readers of the status page see, in Chromium. Prints TAP. Nothing waits for a time: a story waits
for what the browser asks, or for what the page shows.
"""
import json
import os
import signal
import sys
import traceback

import picture
from browser import Browser, CannotStart, Tab
from daemon import Daemon
from server import Server

BUILD = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
PICTURES = os.path.join(BUILD, "page-pictures")
TOO_LONG_S = 600 * int(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))

# All that C and the script both write, without rates, which only the script knows.
CONTENT = """(function (doc) {
	doc.querySelectorAll(".rate").forEach(e => e.remove());
	return [...doc.querySelectorAll("[data-as]:not(th), thead th, tbody, .alert:not(#silence), .more")]
		.map(e => e.outerHTML.replace(/>\\s+</g, "><").trim());
})"""
FETCHED = "fetch('.').then(a => a.text()).then(t => new DOMParser().parseFromString(t, 'text/html'))"

# A clock that goes on by a second for each request, so that five minutes take as long as 300 requests.
FAST = """(function () {
	let now = 0;
	const ask = window.fetch, every = window.setInterval;
	performance.now = () => now * 1000;
	window.fetch = (...all) => { now++; return ask(...all); };
	window.setInterval = (what) => every(what, 1);
})();"""

# With that clock, each of these waits is longer than the interval of the script.
TURNS = """(async function () {
	for (let i = 0; i < 100; i++)
		await new Promise(done => setTimeout(done, 2));
})()"""

# A tab that can be hidden.
HIDEABLE = """(function () {
	let hidden = false;
	Object.defineProperty(document, "hidden", { get: () => hidden });
	window.hide = yes => { hidden = yes; document.dispatchEvent(new Event("visibilitychange")); };
})();"""


def row(service):
    rows = "[...document.querySelectorAll('#services tbody tr')]"
    return f"{rows}.find(r => r.innerText.startsWith('{service}'))"


def cell(service, title):
    return f"{row(service)}.querySelector('td[data-label=\"{title}\"]').textContent.replace(/\\u00a0/g, ' ')"


def is_equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


# ---- stories: (browser, server) ------------------------------------------------


def it_is_complete_and_comes_again_without_scripts(browser, server):
    tab = Tab(browser, scripts=False)
    tab.open(server.url)
    html = tab.html()
    for part in ("0.1.0", "its program /usr/local/bin/fingerd does not exist", "did you mean",
                 "SIGSEGV&nbsp;2", "20261122-141002-greeter-3911", "greet.example.org", "expires soon",
                 "192.0.2.7:50122",
                 "4999", "http-equiv=\"refresh\""):
        assert part in html, f"no {part} without scripts"
    server.wait_for(lambda: server.pages >= 2)
    is_equal(server.asked, 0)
    is_equal(tab.complaints(), [])
    tab.close()


def the_script_shows_what_the_page_shows(browser, server):
    server.set(moves=False)
    tab = Tab(browser)
    tab.open(server.url)
    server.wait_for(lambda: server.asked >= 2)
    shown, fetched = tab.value(CONTENT + "(document)"), tab.value(f"{FETCHED}.then({CONTENT})")
    is_equal(len(shown), len(fetched))
    for one, other in zip(shown, fetched):
        is_equal(one, other)
    is_equal(tab.complaints(), [])
    tab.close()


def numbers_move(browser, server):
    tab = Tab(browser)
    tab.open(server.url)
    tab.until(f"document.querySelector('.rate') && {cell('echo', 'Accepted')}.endsWith('340/s')")
    accepted = tab.value(cell("echo", "Requests")), tab.text("[data-key='uptime']")
    tab.until(f"document.querySelector('[data-key=uptime]').textContent !== {json.dumps(accepted[1])}")
    assert "1020/s" in tab.text("dd[data-key='totals.accepted']"), tab.text("dd[data-key='totals.accepted']")
    is_equal(tab.complaints(), [])
    tab.close()


def plots_are_drawn(browser, server):
    tab = Tab(browser)
    tab.open(server.url)
    server.wait_for(lambda: server.asked >= 4)
    lines = tab.value("[...document.querySelectorAll('#plots .line')].map(l => l.getAttribute('d'))")
    is_equal(len(lines), 6)
    for line in lines:
        assert "L" in line and "NaN" not in line, line
    titles = tab.value("[...document.querySelectorAll('#plots title')].map(t => t.textContent)")
    assert "1020/s" in titles[1] and "At most" in titles[1], titles
    is_equal(tab.value("document.querySelectorAll('#plots .top')[1].textContent"), "2000/s")
    # One service alone: three serve, and each of them accepts as many.
    tab.value("document.querySelector('#of').value = 'echo'; "
              "document.querySelector('#of').dispatchEvent(new Event('change'))")
    assert "340/s" in tab.value("document.querySelectorAll('#plots title')[1].textContent")
    is_equal(tab.complaints(), [])
    tab.close()


def services_come_and_go(browser, server):
    def other(snapshot):
        snapshot["services"] = [dict(snapshot["services"][0], name="new <b>", handler="__proto__")] + \
            snapshot["services"][2:]

    tab = Tab(browser)
    tab.open(server.url)
    tab.until(row("dictionary"))
    server.set(change=other)
    tab.until(f"{row('new <b>')} && !{row('dictionary')}")
    is_equal(tab.value("[...document.querySelectorAll('#services tbody th')].map(h => h.firstChild.data)"),
             ["new <b>", "greeter", "git", "finger", "time", "chargen"])
    server.set(change=lambda snapshot: snapshot.update(services=[], workers=None))
    tab.until("document.querySelector('#services .nothing') && document.querySelector('#workers').hidden")
    server.set(change=None)
    tab.until(f"{row('dictionary')} && !document.querySelector('#services .nothing')")
    is_equal(tab.complaints(), [])
    tab.close()


def counters_may_start_again(browser, server):
    def restarted(snapshot):
        snapshot["uptime"] -= 11000
        for service in snapshot["services"]:
            for key in "accepted", "bytes_in", "bytes_out":
                service[key] //= 1000

    tab = Tab(browser)
    tab.open(server.url)
    tab.until(f"document.querySelector('.rate') && {cell('echo', 'Accepted')}.endsWith('340/s')")
    server.set(change=restarted)
    tab.until("document.querySelector('[data-key=uptime]').textContent.includes('min')")
    tab.until("!document.querySelector('#services .rate')")
    server.set(change=None)
    tab.until(f"{cell('echo', 'Accepted')}.endsWith('340/s')")
    text = tab.text("main")
    for word in "NaN", "undefined", "Infinity", "null":
        assert word not in text, text
    assert "NaN" not in tab.value("document.querySelector('#plots').innerHTML")
    is_equal(tab.complaints(), [])
    tab.close()


def silence_is_told_and_ends(browser, server):
    tab = Tab(browser)
    tab.open(server.url)
    server.wait_for(lambda: server.asked >= 2)
    server.set(holds=True)
    tab.until("!document.querySelector('#silence').hidden")
    assert tab.text("#silence").startswith("No answer since "), tab.text("#silence")
    is_equal(tab.text("#spoken"), "The server does not answer.")
    is_equal(server.at_once_max, 1)
    server.set(holds=False)
    tab.until("document.querySelector('#silence').hidden")
    is_equal(tab.text("#spoken"), "The server answers again.")
    server.set(fails=True)
    tab.until("!document.querySelector('#silence').hidden")
    server.set(fails=False)
    tab.until("document.querySelector('#silence').hidden")
    is_equal(tab.complaints(), [])
    tab.close()


def a_hidden_page_asks_nothing(browser, server):
    tab = Tab(browser, before=FAST + HIDEABLE)
    tab.open(server.url)
    server.wait_for(lambda: server.asked >= 2)
    tab.value("hide(true)")
    # One request may be under way. Then the timer of the script has many turns, and asks in none of them.
    tab.value(TURNS)
    asked = server.asked
    tab.value(TURNS)
    is_equal(server.asked, asked)
    tab.value("hide(false)")
    server.wait_for(lambda: server.asked > asked)
    tab.close()


def texts_are_only_texts(browser, server):
    evil = "<img src=x onerror='window.evil=1'></script><script>window.evil=1</script>\"'&"

    def poison(value):
        if isinstance(value, dict):
            return {key if key != "rate" else evil: poison(v) for key, v in value.items()}
        if isinstance(value, list):
            return [poison(v) for v in value]
        return evil if isinstance(value, str) else value

    server.set(change=lambda snapshot: (snapshot.update(poison(snapshot))))
    tab = Tab(browser)
    tab.open(server.url)
    server.wait_for(lambda: server.asked >= 3)
    is_equal(tab.value("typeof window.evil + document.querySelectorAll('img, script').length"), "undefined1")
    assert evil[:20] in tab.text("#crashes")
    is_equal(tab.complaints(), [])
    tab.close()


def tables_are_tables_on_a_phone(browser, server):
    tab = Tab(browser, width=390, height=844, phone=True)
    tab.open(server.url)
    server.wait_for(lambda: server.asked >= 2)
    roles = [node.get("role", {}).get("value") for node in tab.call("Accessibility.getFullAXTree")["nodes"]
             if not node["ignored"]]
    is_equal(roles.count("table"), 5)
    assert roles.count("rowheader") >= 25, roles.count("rowheader")
    for role in "banner", "main", "contentinfo", "navigation":
        is_equal((role, roles.count(role)), (role, 1))
    is_equal(tab.value("document.documentElement.scrollWidth"), 390)
    tab.close()


def pictures_show_something(browser, server):
    os.makedirs(PICTURES, exist_ok=True)
    for name, phone in ("desktop", False), ("phone", True):
        for dark in False, True:
            server.set(n=0, asked=0)
            tab = Tab(browser, *((390, 844) if phone else (1280, 900)), dark=dark, phone=phone, before=FAST)
            tab.open(server.url)
            server.wait_for(lambda: server.asked >= 320)
            png = tab.picture()
            tab.close()
            with open(os.path.join(PICTURES, f"{name}-{'dark' if dark else 'light'}.png"), "wb") as file:
                file.write(png)
            count = picture.colours(png, 700)
            ground = sum(count.most_common(1)[0][0])
            assert len(count) > 200, f"{name}: only {len(count)} colours"
            assert count.most_common(1)[0][1] < 0.95 * sum(count.values()), f"{name} is nearly empty"
            assert (ground < 200) == dark, f"{name} is on {count.most_common(1)[0][0]}"


# ---- stories: (browser, daemon) ------------------------------------------------


def number(service, title):
    return f"parseFloat({cell(service, title)})"


def the_page_of_a_busy_daemon_moves(browser, daemon):
    tab = Tab(browser)
    tab.open(daemon.url)
    tab.until(f"document.querySelector('#services .rate') && {number('busy', 'Accepted')} > 0")
    accepted = tab.value(cell("busy", "Accepted"))
    tab.until(f"{cell('busy', 'Accepted')} !== {json.dumps(accepted)}")
    tab.until("[...document.querySelectorAll('#plots .line')].slice(0, 4)"
              ".every(l => (l.getAttribute('d') || '').includes('L'))")
    os.makedirs(PICTURES, exist_ok=True)
    png = tab.picture()
    with open(os.path.join(PICTURES, "daemon.png"), "wb") as file:
        file.write(png)
    count = picture.colours(png, 700)
    assert len(count) > 100, f"only {len(count)} colours"
    is_equal(tab.complaints(), [])
    tab.close()


def the_page_of_a_busy_daemon_comes_again_without_scripts(browser, daemon):
    tab = Tab(browser, scripts=False)
    tab.open(daemon.url)
    tab.wait_for_loads(2)
    html = tab.html()
    for part in "busy", "accepting", "Longest connections", "http-equiv=\"refresh\"":
        assert part in html, f"no {part} without scripts"
    is_equal(tab.complaints(), [])
    tab.close()


STORIES = [
    it_is_complete_and_comes_again_without_scripts,
    the_script_shows_what_the_page_shows,
    numbers_move,
    plots_are_drawn,
    services_come_and_go,
    counters_may_start_again,
    silence_is_told_and_ends,
    a_hidden_page_asks_nothing,
    texts_are_only_texts,
    tables_are_tables_on_a_phone,
    pictures_show_something,
]
DAEMON_STORIES = [
    the_page_of_a_busy_daemon_moves,
    the_page_of_a_busy_daemon_comes_again_without_scripts,
]


def main():
    wanted = os.environ.get("STORIES", "").split()
    stories = [s for s in STORIES + DAEMON_STORIES if not wanted or s.__name__ in wanted]
    with open(os.path.join(HERE, "snapshot.json"), encoding="utf-8") as file:
        snapshot = json.load(file)
    try:
        browser = Browser()
    except CannotStart:
        print("1..0 # SKIP chromium is installed, and does not start")
        return
    print(f"1..{len(stories)}", flush=True)
    try:
        for number, story in enumerate(stories, 1):
            server = Daemon(BUILD) if story in DAEMON_STORIES else \
                Server(os.path.join(BUILD, "tests/page/render"), snapshot)
            try:
                story(browser, server)
                print(f"ok {number} - {story.__name__}", flush=True)
            except Exception:
                print(f"not ok {number} - {story.__name__}", flush=True)
                print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="",
                      flush=True)
            finally:
                server.close()
    finally:
        browser.close()


def too_long(*_):
    raise TimeoutError(f"nothing came in {TOO_LONG_S} s")


signal.signal(signal.SIGALRM, too_long)
signal.alarm(TOO_LONG_S)
main()
