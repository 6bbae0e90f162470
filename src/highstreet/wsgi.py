"""The WSGI application of pages and API."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")
_django = get_wsgi_application()

from highstreet.web.door import Door, warm  # noqa: E402  (needs the settings)

warm()
application = Door(_django, slots=int(os.environ.get("HIGHSTREET_SLOTS", "8")))
