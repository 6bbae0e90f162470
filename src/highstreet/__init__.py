"""Highstreet: an O2O retail platform that promises a time before purchase and keeps it."""
