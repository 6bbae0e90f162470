"""Users: who may sign in. What they may do comes from being an employee, a courier or a customer."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from highstreet.kernel.policy import actor_of
from highstreet.kernel.records import KeptAdmin

from .models import User
from .reads import has_second_factor

_allowed = admin.site.has_permission
_login = secure_admin_login(admin.site.login)  # type: ignore[no-untyped-call]


def _lacks_second_factor(request: HttpRequest) -> bool:
    user = request.user
    if not user.is_authenticated or not user.is_staff:
        return False
    asked = settings.ADMIN_SECOND_FACTOR or bool(actor_of(request).lacks)
    return asked and not has_second_factor(user.pk)


def _has_permission(request: HttpRequest) -> bool:
    return _allowed(request) and not _lacks_second_factor(request)


def _sign_in(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponseBase:
    """The same sign-in as everybody's, so that the second factor and the lock on guessing count here too."""
    if _lacks_second_factor(request):
        return redirect("mfa_activate_totp")
    answer: HttpResponseBase = _login(request, extra_context)
    return answer


admin.site.has_permission = _has_permission  # type: ignore[method-assign]
admin.site.login = _sign_in  # type: ignore[method-assign, assignment]

admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class AuthenticatorAdmin(ModelAdmin):
    """Second factors: taken away when somebody lost theirs. The secrets are not shown to anybody."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    exclude = ("data",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin, KeptAdmin):  # type: ignore[type-arg, misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "language", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("username",)
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password", "language")}),
        (None, {"fields": ("is_active", "is_staff", "is_superuser", "last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
