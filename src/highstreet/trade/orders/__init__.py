"""Quote, checkout, order: priced, promised, held in one transaction, confirmed or released together."""
