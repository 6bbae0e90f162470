"""The simulated city: shoppers, pickers and couriers that live on the public API, and the data they live in."""
