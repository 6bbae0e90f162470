"""The Django application that carries the templates, static files and filters of all faces."""

from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "highstreet.web.ui"
    label = "web_ui"
