"""The store app's pages: the queue, picking, the desk (hand over, collect, find), stock, figures and pause."""
