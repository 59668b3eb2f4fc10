"""The page of a report in a real browser, from disk and without a network: it says nothing on the console, loads nothing,
fits its window, and every chart can be seen. Skipped where there is no Chromium; ESPALIER_BROWSER names one,
ESPALIER_PICTURES a folder for the screenshots."""
import collections
import json
import os
import re
import unittest
from pathlib import Path

import report_data
from browser import Browser, find_browser, pixels
from support import ProgramTest

CHARTS = """[...document.querySelectorAll('svg')].map(svg => {
  const box = svg.getBoundingClientRect();
  return {name: svg.querySelector('title').textContent,
          box: {x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height},
          fill: getComputedStyle(svg.querySelector('[data-x-key]:not(.hollow)')).fill};
})"""


@unittest.skipUnless(find_browser(), "no Chromium here: install one, or name it in ESPALIER_BROWSER")
class PageInABrowser(ProgramTest):
    def setUp(self):
        super().setUp()
        results = self.file("results.json", json.dumps(report_data.results()))
        parts = self.file("sensitivity.json", json.dumps(report_data.SENSITIVITY))
        ranges = self.file("calibration.json", json.dumps(report_data.CALIBRATION))
        self.page = self.folder / "report.html"
        self.ok("report", results, parts, ranges, "-o", self.page)
        self.browser = Browser(find_browser()).__enter__()
        self.addCleanup(self.browser.__exit__)

    def keep_picture(self, name):
        folder = os.environ.get("ESPALIER_PICTURES")
        if folder:
            Path(folder, name + ".png").write_bytes(self.browser.picture())

    def test_loads_nothing_else_and_says_nothing_on_the_console(self):
        self.browser.open(self.page, width=1280)

        self.assertEqual([sent["request"]["url"] for sent in self.browser.seen("Network.requestWillBeSent")],
                         [self.page.as_uri()])
        for event in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed"):
            self.assertEqual(self.browser.seen(event), [], event)
        self.assertEqual(self.browser.value("document.scripts.length"), 0)
        self.assertEqual(self.browser.value("document.compatMode"), "CSS1Compat")

    def test_every_chart_can_be_seen_in_light_and_dark(self):
        n_charts = len(re.findall("<svg", self.page.read_text(encoding="utf-8")))
        grounds = set()
        for scheme in ("light", "dark"):
            self.browser.open(self.page, width=1280, scheme=scheme)
            charts = self.browser.value(CHARTS)
            # Size, time and energy; reliability of eight models; sensitivity; ranges of activations.
            self.assertEqual(len(charts), 3 + 8 + 1 + 1)
            self.assertEqual(len(charts), n_charts)
            for chart in charts:
                with self.subTest(scheme=scheme, chart=chart["name"]):
                    self.check_drawn(chart)
            grounds.add(self.browser.value("getComputedStyle(document.body).backgroundColor"))
            self.keep_picture("report-" + scheme)
        self.assertEqual(len(grounds), 2)

    def check_drawn(self, chart):
        """Marks or bars in the colour that the style asks for, and writing in another."""
        self.assertGreater(chart["box"]["width"], 150)
        self.assertGreater(chart["box"]["height"], 100)
        seen = pixels(self.browser.picture(chart["box"], scale=0.5))
        colours = collections.Counter(seen)
        ground, _ = colours.most_common(1)[0]
        self.assertGreater(len(colours), 20)
        fill = tuple(map(int, re.findall(r"\d+", chart["fill"])[:3]))
        near = [one for one in seen if max(abs(a - b) for a, b in zip(one, fill)) < 70 and one != ground]
        self.assertGreater(len(near), 20, f"nothing is drawn in {fill}")

    def test_fits_a_wide_window_and_a_telephone(self):
        for width in (1280, 390):
            self.browser.open(self.page, width=width)
            self.browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
            self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)
            self.keep_picture(f"report-{width}")

    def test_words_stand_above_what_they_say_to_both_models(self):
        self.browser.open(self.page, width=1280)
        self.browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
        word, first, second = self.browser.value(
            "[...document.querySelector('.word').children].map(one => one.getBoundingClientRect().top)")
        self.assertTrue(word < first < second)
        grounds = self.browser.value(
            "[...document.querySelectorAll('.word i')].slice(0, 2).map(one => getComputedStyle(one).backgroundColor)")
        self.assertEqual(grounds, ["rgba(42, 145, 97, 0.6)", "rgba(214, 110, 30, 0.15)"])


if __name__ == "__main__":
    unittest.main()
