from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

NOT_BELIEVED = reason("not_believed", 401, _("We could not verify this message."))
UNKNOWN_PROVIDER = reason("unknown_provider", 404, _("This way to pay is not offered here."))
PROVIDER_SILENT = reason(
    "provider_silent", 503, _("The payment service does not answer. Nothing was charged; try again in a few seconds.")
)
PROVIDER_SAID_NO = reason(
    "provider_said_no", 409, _("The payment service refused this payment. Choose another way to pay.")
)
PAYMENT_OVER = reason("payment_over", 409, _("This payment can no longer be made. Go back to the order and pay anew."))
NOTHING_OPEN = reason("nothing_open", 409, _("There is no open payment for this order."))
MORE_THAN_LEFT = reason("more_than_left", 409, _("That is more than what is left of the payment."))
MONEY_ON_ITS_WAY = reason(
    "money_on_its_way", 409, _("Money of yours is still on its way ({count}). Try again when it has arrived.")
)
