from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

FLEET_NOT_BELIEVED = reason("fleet_not_believed", 401, _("We could not verify this message."))
UNKNOWN_FLEET = reason("unknown_fleet", 422, _("Choose a fleet that we know how to speak to."))
SECRET_MISSING = reason("secret_missing", 422, _("Fill in what the fleet gave you: {fields}."))
FLEET_BARRED = reason("fleet_barred", 422, _("We cannot call there ({why}). Use a public https address."))
FLEET_TAKEN = reason("fleet_taken", 409, _("Another fleet brings these deliveries. End that first."))
FLEET_BUSY = reason("fleet_busy", 409, _("{count} deliveries are still with this fleet. Wait until they have ended."))
FLEET_ON_THE_WAY = reason(
    "fleet_on_the_way", 409, _("A fleet still has something of yours. Try again when it has arrived.")
)
