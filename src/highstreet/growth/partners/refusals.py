"""Why no key is made and no endpoint kept."""

from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

SCOPE_NOT_YOURS = reason("scope_not_yours", 403, _("You cannot give away what you may not do: {scopes}."))
PERSONS_ONLY = reason("persons_only", 403, _("Only a person may do this, not a key."))
NOT_ALL_STORES = reason("not_all_stores", 403, _("Webhooks tell of every store, so this needs all stores."))
TARGET_BARRED = reason("target_barred", 422, _("We cannot send there ({why}). Use a public https address."))
TOO_MANY = reason("too_many", 409, _("There are {most} already. Remove one first."))
STILL_OFF = reason("endpoint_off", 409, _("This endpoint is off. Switch it on first."))
