"""How every page looks, feels and speaks: tokens, components, base templates, filters and plain JS modules.

Promises: no inline style or script, no other host, the same facts without JavaScript, 44 px actions,
WCAG 2.2 AA in both themes and languages. `scripts/vendor.py` and `scripts/messages.py` keep its files.
"""
