"""What is done with customers: found at checkout, asked for consent, given their data, forgotten."""

from ..refusals import NOT_CONFIRMED
from .consenting import consent
from .erasing import WORD, erase_held, erase_me, erase_proved
from .ordering import of_phone, remember_address

__all__ = ["NOT_CONFIRMED", "WORD", "consent", "erase_held", "erase_me", "erase_proved", "of_phone", "remember_address"]
