"""Which passwords may be chosen; one from before goes on working."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from highstreet.people.accounts.models import User

from .support import PASSWORD

pytestmark = pytest.mark.django_db


def sign_up(password: str, language: str = "en") -> tuple[int, str]:
    form = {"username": "marguerite", "password1": password, "password2": password}
    answer = Client(headers={"Accept-Language": language}).post("/accounts/signup/", form)
    return answer.status_code, re.sub(r"(<[^>]*>|\s)+", " ", answer.content.decode())


@pytest.mark.parametrize(
    ("password", "english", "chinese"),
    [
        ("s7!kQz2", "Password: Eight characters or more.", "密码: 至少 8 位。"),
        ("marguerite1", "too similar to the", "太相似"),
        ("password123", "too common", "这个密码太常见了"),
    ],
)
def test_a_weak_password_is_refused_in_words(password: str, english: str, chinese: str) -> None:
    assert english in sign_up(password)[1]
    assert chinese in sign_up(password, "zh-CN")[1]
    assert not User.objects.filter(username="marguerite").exists()


def test_a_good_one_is_taken() -> None:
    assert sign_up("s7!kQz2x")[0] == 302
    assert User.objects.filter(username="marguerite").exists()


def test_a_change_asks_the_same(client: Client) -> None:
    user = User.objects.create_user("ann", password=PASSWORD)
    client.force_login(user)
    form = {"oldpassword": PASSWORD, "password1": "s7!kQz2", "password2": "s7!kQz2"}
    client.post("/accounts/password/change/", form)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_password_from_before_signs_in() -> None:
    User.objects.create_user("shopper", password="demo")
    assert Client().post("/accounts/login/", {"login": "shopper", "password": "demo"}).status_code == 302
    told = {"username": "shopper", "password": "demo"}
    assert Client().post("/api/v1/sessions", told, content_type="application/json").status_code in (200, 201)
