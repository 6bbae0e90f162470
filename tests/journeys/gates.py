"""What a page must hold, measured in Chromium. Each gate returns its findings; none is good."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
MOST_HEIGHT = 9000

SIDEWAYS = """() => {
  const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
  if (wide <= room) return [];
  const guilty = [...document.querySelectorAll("body *")].filter(node => {
    const box = node.getBoundingClientRect();
    if (box.right <= room + 1 || !box.width) return false;
    for (let up = node.parentElement; up; up = up.parentElement)
      if (/(auto|scroll|hidden|clip)/.test(getComputedStyle(up).overflowX)) return false;
    return true;
  });
  return [`${wide} > ${room}: ` + guilty.slice(0, 3).map(node => node.outerHTML.slice(0, 90)).join(" | ")];
}"""

# Text whose box is cut off by its own overflow, beyond what is meant (visually hidden, clamped names).
CLIPPED = """() => [...document.querySelectorAll("body *")].filter(node => {
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  if (![...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())) return false;
  if (box.width < 2 || box.height < 2 || node.closest(".vh, [hidden], select, option, script, style")) return false;
  if (style.clipPath !== "none" || style.webkitLineClamp !== "none" || !node.checkVisibility()) return false;
  const cutsX = style.overflowX !== "visible" && style.overflowX !== "auto" && style.overflowX !== "scroll";
  const cutsY = style.overflowY !== "visible" && style.overflowY !== "auto" && style.overflowY !== "scroll";
  const ellipsis = style.textOverflow === "ellipsis";
  return (cutsX && !ellipsis && node.scrollWidth > node.clientWidth + 1)
    || (cutsY && node.scrollHeight > node.clientHeight + 2);
}).map(node => node.outerHTML.slice(0, 120))"""

# Where the focus is, and whether it can be seen there: the middle of its box belongs to it.
COVERED = """() => {
  const node = document.activeElement;
  if (!node || node === document.body || node === document.documentElement) return null;
  const key = node.id || node.outerHTML.slice(0, 100);
  const target = node.closest("label") || (node.classList.contains("vh") && node.parentElement) || node;
  const box = target.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const top = document.elementFromPoint(x, y);
  const own = top && (target.contains(top) || top.contains(target));
  return {key, covered: !inside || !own, by: top ? top.outerHTML.slice(0, 80) : "nothing"};
}"""

FIRST_SCREEN = """() => {
  const seen = node => {
    const box = node.getBoundingClientRect();
    if (!(box.width > 0 && box.top >= 0 && box.bottom <= innerHeight)) return false;
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return node.contains(top) || (top && (top.contains(node) || node.closest("article")?.contains(top)));
  };
  const cards = [...document.querySelectorAll("article.card")].filter(card => {
    const price = card.querySelector(".price"), add = card.querySelector("form button");
    return price && add && seen(price) && seen(add);
  });
  const promise = document.querySelector("#promise .say");
  const reorder = document.querySelector("#reorder");
  return {promise: Boolean(promise && seen(promise)), cards: cards.length, reorder: Boolean(reorder && seen(reorder))};
}"""

# Pictures below the first screen, which the browser fetches ahead of scrolling.
AHEAD = """() => [...document.images].filter(node => node.loading === "lazy"
  && node.getBoundingClientRect().top >= innerHeight).map(node => node.currentSrc || node.src)"""


def axe(page: Page) -> list[str]:
    """Violations, in a window as tall as the page, so that nothing is out of sight.

    Nothing has the focus: the skip link covers the brand while it has.
    """
    page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    size = page.viewport_size or {"width": 360, "height": 740}
    tall = min(int(page.evaluate("document.documentElement.scrollHeight")), MOST_HEIGHT)
    page.set_viewport_size({"width": size["width"], "height": max(tall, size["height"])})
    found = AXE.run(page, options=RULES).response["violations"]
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    return [f"axe {one['id']}: {one['nodes'][0]['html'][:140]} (×{len(one['nodes'])})" for one in found]


def sideways(page: Page, width: int = 320) -> list[str]:
    """Sideways scrolling at `width`."""
    size = page.viewport_size or {"width": 360, "height": 740}
    page.set_viewport_size({"width": width, "height": size["height"]})
    found = [f"sideways at {width}: {text}" for text in page.evaluate(SIDEWAYS)]
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    return found


def clipped(page: Page) -> list[str]:
    """Text that is cut off, or a page that scrolls sideways, with text at 200 %."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found = [f"clipped at 200 %: {text}" for text in page.evaluate(CLIPPED)]
    found += [f"sideways at 200 %: {text}" for text in page.evaluate(SIDEWAYS)]
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found


def covered(page: Page, most: int = 60) -> list[str]:
    """A walk with Tab: what has the focus must be on top where it is."""
    page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    seen: set[str] = set()
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(COVERED)
        if at is None or (at["key"] in seen and len(seen) > 1):
            break
        seen.add(at["key"])
        if at["covered"]:
            found.append(f"focus covered: {at['key'][:90]} by {at['by']}")
    if not seen:
        found.append("Tab reaches nothing")
    return found


def english(page: Page, msgids: set[str]) -> list[str]:
    """Text of a Chinese page that is, word for word, an English message that has a translation."""
    texts: list[str] = page.evaluate(
        """() => {
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
          while (walk.nextNode()) {
            const up = walk.currentNode.parentElement;
            if (!up.closest("script, style, [lang=en], template")) found.push(walk.currentNode.data.trim());
          }
          for (const node of document.querySelectorAll("[aria-label], [placeholder], [alt], [title]"))
            if (!node.closest("[lang=en]"))
              for (const name of ["aria-label", "placeholder", "alt", "title"])
                found.push(node.getAttribute(name) || "");
          return [...new Set([document.title.split(" · ")[0], ...found])].filter(Boolean);
        }"""
    )
    return [f"untranslated: {text}" for text in texts if text in msgids]


def first_screen(page: Page, *, knows_me: bool = False) -> list[str]:
    """The promise and two products with price and +, before any scrolling; reorder for whom we know."""
    seen = page.evaluate(FIRST_SCREEN)
    found = [] if seen["promise"] else ["first screen: no promise"]
    if seen["cards"] < 2:
        found.append(f"first screen: {seen['cards']} products with price and +")
    if knows_me and not seen["reorder"]:
        found.append("first screen: no reorder")
    return found
