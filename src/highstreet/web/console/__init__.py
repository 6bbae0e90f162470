"""The console: what the retailer sees and steers."""
