"""The console's pages: overview, orders, catalogue, stock, promises, ledger and audit, people."""
