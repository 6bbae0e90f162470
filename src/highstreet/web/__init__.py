"""The four faces: shop, store, courier, console. No decisions are made here."""
