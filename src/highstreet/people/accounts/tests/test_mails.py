"""A reset by mail: nobody waits for the mail server, and a link that it refused comes when it is back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from highstreet.kernel.tests.worker import work

from .support import a_user, inside, typed

ASKED = "/accounts/password/reset/"
DOWN = "django.core.mail.backends.smtp.EmailBackend"
MEMORY = "django.core.mail.backends.locmem.EmailBackend"


def ask(address: str, language: str = "en") -> Any:
    browser = Client()
    browser.cookies["lang"] = language
    return browser.post(ASKED, {"email": address})


def due_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def waiting() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args::text FROM procrastinate_jobs WHERE task_name = 'accounts.mail' AND status = 'todo'"
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_a_reset_with_the_mail_server_down_is_sent_when_it_is_back(settings: Any) -> None:
    user = a_user("known")
    user.email = "known@example.org"
    user.save()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = DOWN, "127.0.0.1", 9
    answers = [ask(address) for address in ("known@example.org", "nobody@example.org")]
    assert [(one.status_code, one["Location"]) for one in answers] == [(302, f"{ASKED}done/")] * 2
    work()
    kept = waiting()
    # Neither who asked nor the link can be read where it waits.
    assert len(kept) == 2 and not re.search(r"known|nobody|example|/accounts/", "".join(kept))
    settings.EMAIL_BACKEND = MEMORY
    due_now()
    work()
    assert waiting() == []
    sent = {one.to[0]: one for one in mail.outbox}
    assert sorted(sent) == ["known@example.org", "nobody@example.org"]
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(sent["known@example.org"].body))
    assert link and "/reset/key/" not in str(sent["nobody@example.org"].body)
    browser = Client()
    form = browser.get(link[1], follow=True)
    browser.post(form.redirect_chain[-1][0], {"password1": "entirely new", "password2": "entirely new"})
    assert inside(typed("known", "entirely new"))


@pytest.mark.django_db(transaction=True)
def test_a_mail_speaks_the_language_of_who_asked() -> None:
    user = a_user("known")
    user.email = "known@example.org"
    user.save()
    for language in ("zh-hans", "en"):
        ask("known@example.org", language)
    work()
    chinese, english = sorted((str(one.body) for one in mail.outbox), key=str.isascii)
    assert re.search("[一-鿿]", chinese) and not re.search("[一-鿿]", english)
