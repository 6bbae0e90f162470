from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

NOT_A_COURIER = reason("not_a_courier", 403, _("Only a courier may do this."))
OFF_SHIFT = reason("off_shift", 409, _("Start your shift first."))
TASKS_IN_HAND = reason("tasks_in_hand", 409, _("You still have {count} to bring. Finish those, then end your shift."))
STILL_A_COURIER = reason(
    "still_a_courier", 409, _("This account brings orders. End that with your station first, then erase it.")
)
