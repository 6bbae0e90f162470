"""Templates as cotton reads them, with the plain icons written out: a page has twenty, and a component costs 0.1 ms."""

from __future__ import annotations

import re

from django.templatetags.static import static
from django_cotton.cotton_loader import Loader as CottonLoader

# An icon with nothing but a name, which is text or template code; others stay components (cotton/icon.html).
_PLAIN = re.compile(r'<c-icon name="([^"<>]+)" ?/>')


class Loader(CottonLoader):
    """Finds templates where cotton does."""

    def _get_template_string(self, template_name: str) -> str:
        text: str = super()._get_template_string(template_name)  # type: ignore[no-untyped-call]
        return with_icons(text)


def with_icons(text: str) -> str:
    """`text` with its plain icons as the component would render them."""
    if "<c-icon" not in text:
        return text
    sprite = static("vendor/icons.svg")
    return _PLAIN.sub(rf'<svg class="icon" aria-hidden="true"><use href="{sprite}#\1"/></svg>', text)
