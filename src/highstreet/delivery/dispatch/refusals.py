from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

WRONG_PROOF = reason("wrong_proof", 409, _("That is not the customer's code. Ask again, digit by digit."))
PROOF_NEEDED = reason("proof_needed", 422, _("Enter the customer's code or take a photo."))
UNKNOWN_INCIDENT = reason("unknown_incident", 422, _("Choose what happened."))
NOT_READY = reason("not_ready", 409, _("The store has not packed this order yet."))
ON_THE_WAY = reason("on_the_way", 409, _("A courier still carries something of yours. Try again when it has arrived."))
