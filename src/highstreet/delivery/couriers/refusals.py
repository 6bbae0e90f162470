from django.utils.translation import gettext_lazy as _

from highstreet.kernel.refusal import reason

NOT_A_COURIER = reason("not_a_courier", 403, _("Only a courier may do this."))
OFF_SHIFT = reason("off_shift", 409, _("Start your shift first."))
TASKS_IN_HAND = reason("tasks_in_hand", 409, _("You still have {count} to bring. Finish those, then end your shift."))
NO_BREAK_NOW = reason("no_break_now", 409, _("You still have {count} to bring. Finish those, then take your break."))
STILL_A_COURIER = reason(
    "still_a_courier", 409, _("This account brings orders. End that with your station first, then erase it.")
)
SHIFT_GONE = reason("shift_gone", 409, _("Somebody else has this shift now."))
SHIFT_BEGUN = reason("shift_begun", 409, _("This shift has begun: it cannot change hands any more."))
TOO_MUCH_WORK = reason("too_much_work", 409, _("With this shift: {broken}."))
ROSTER_BREAKS_RULES = reason("roster_breaks_rules", 409, _("Not published. {name}: {broken}."))
NOTHING_TO_PUBLISH = reason("nothing_to_publish", 409, _("There is no draft for this day. Have one proposed first."))
COURIER_CANNOT = reason(
    "courier_cannot", 409, _("{name} cannot work on {day}, {begins}–{ends}. Give the shift to others.")
)
TOO_MANY_WISHES = reason("too_many_wishes", 409, _("You have said {most} times already. Take one back first."))
DAY_PAST = reason("day_past", 409, _("This day has begun or is over."))
NOT_SO_MUCH_IN_HAND = reason(
    "not_so_much_in_hand", 409, _("This courier has {amount} in hand. Count again, then take what is there.")
)
